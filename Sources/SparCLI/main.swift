print("spar")
