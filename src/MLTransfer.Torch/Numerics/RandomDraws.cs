using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics;

/// <summary>Random numbers and tensors that depend on nothing but a seed and the number of a stream, such as that of a step.</summary>
internal class RandomDraws : IDisposable
{
    private SplitMix64 _random;

    public RandomDraws(long seed, int stream)
    {
        _random = new SplitMix64(SplitMix64.Mix((ulong)seed, 3, (ulong)stream));
        Generator = new Generator(_random.NextUInt64());
    }

    /// <summary>For tensors: not libtorch's generator of the process, which other threads may draw from.</summary>
    public Generator Generator { get; }

    protected ref SplitMix64 Random => ref _random;

    public Tensor Normal(long[] shape, Device device) =>
        SeededTensors.Normal(shape, ScalarType.Float32, device, Generator);

    public bool Happens(double probability) => _random.NextDouble() < probability;

    /// <summary>From <paramref name="minimum"/> to less than <paramref name="end"/>.</summary>
    public int Next(int minimum, int end) => minimum + (int)(_random.NextDouble() * (end - minimum));

    /// <summary><paramref name="count"/> numbers from 0 to less than <paramref name="end"/>, each drawn on its own.</summary>
    public int[] Indices(int count, int end) => [.. Enumerable.Range(0, count).Select(_ => Next(0, end))];

    public void Dispose()
    {
        Generator.Dispose();
        GC.SuppressFinalize(this);
    }
}
