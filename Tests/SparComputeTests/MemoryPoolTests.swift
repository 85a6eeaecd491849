import SparTensor
import Synchronization
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

  /// Gives blocks out of the system's memory and counts them.
  private final class Placer: MemorySource {
    let given = Mutex<[(bytes: Int, use: MemoryUse)]>([])
    let freed = Mutex(0)

    func allocate(_ bytes: Int, for use: MemoryUse) -> MemoryBlock? {
      guard use != .activations else { return nil }
      given.withLock { $0.append((bytes, use)) }
      let block = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      return MemoryBlock(pointer: block, handle: block)
    }

    func free(_ block: MemoryBlock, bytes: Int) {
      freed.withLock { $0 += 1 }
      block.pointer.deallocate()
    }
  }

  @Test("memory with a place comes from its source and goes back there")
  func places() {
    let source = Placer()
    var pool: MemoryPool? = MemoryPool(source: source)
    if let pool {
      var weight: Tensor? = Tensor([1000], pool: pool, use: .weights)
      #expect(weight?.c.buffer == weight?.c.data && weight?.rows(10..<20).c.offset == 40)
      let address = weight?.data
      weight = nil
      // Of another size class, but not of another size.
      #expect(Tensor([1001], pool: pool, use: .weights).data == address)
      #expect(Tensor([1000], pool: pool).c.buffer == nil, "the source declined")
    }
    #expect(source.given.withLock { $0.map(\.bytes) } == [4096])
    pool = nil
    #expect(source.freed.withLock { $0 } == 1)
  }
}
