import Testing

@Suite("Capture") struct CaptureTests {}
