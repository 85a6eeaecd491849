import Foundation

exit(Spar.run(Array(CommandLine.arguments.dropFirst())))
