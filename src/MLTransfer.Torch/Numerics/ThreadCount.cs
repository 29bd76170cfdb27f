using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics;

/// <summary>The number of threads that libtorch and the kernels use for what this thread asks of them; the one before comes back.</summary>
/// <remarks>libtorch keeps the number for each thread that asks; threads that begin later have the number that was set last.</remarks>
internal readonly struct ThreadCount : IDisposable
{
    /// <summary>The most that options may ask for.</summary>
    public const int Maximum = 1024;

    private readonly int _before;

    /// <param name="threads">0 leaves it as it is.</param>
    public ThreadCount(int threads)
    {
        if (threads == 0 || threads == get_num_threads())
            return;
        _before = get_num_threads();
        set_num_threads(threads);
    }

    /// <exception cref="ArgumentOutOfRangeException">It is no number of threads.</exception>
    public static int Checked(int threads) => threads is >= 1 and <= Maximum
        ? threads : throw new ArgumentOutOfRangeException(nameof(threads), threads, $"Threads are from 1 to {Maximum}.");

    public void Dispose()
    {
        if (_before > 0)
            set_num_threads(_before);
    }
}
