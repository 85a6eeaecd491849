import SparTensor
import Testing

@Suite("Memory pool") struct MemoryPoolTests {
  @Test("a freed tensor's memory serves the next of about its size")
  func recycles() {
    let pool = MemoryPool()
    var first: Tensor? = Tensor([1000], pool: pool)
    let address = first?.data
    first = nil
    let second = Tensor([1010], pool: pool)
    #expect(second.data == address)
    #expect(pool.usage.used >= 4040)
  }

  @Test("rows and reshapes are views of the same memory")
  func views() {
    let pool = MemoryPool()
    let tensor = Tensor((0..<12).map(Float.init), shape: [4, 3], pool: pool)
    #expect(tensor.rows(1..<3).array() == [3, 4, 5, 6, 7, 8])
    tensor.rows(3..<4).floats[0] = 100
    #expect(tensor.reshaped([12]).array()[9] == 100)
  }
}
