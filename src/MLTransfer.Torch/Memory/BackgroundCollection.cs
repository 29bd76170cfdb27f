using System.Runtime;

namespace MLTransfer.Torch.Memory;

/// <summary>Garbage collections that go on beside the program's threads.</summary>
/// <remarks>
/// TorchSharp hands numbers to libtorch in objects that nothing keeps alive while libtorch reads them (<c>x.pow(2)</c>, <c>x + y</c>). A
/// collection in the background may free one in the middle of a call, once in some million calls, which then fails. One that a thread
/// starts itself, by allocating, never comes there.
/// </remarks>
internal static class BackgroundCollection
{
    private static readonly Lock s_lock = new();
    private static int s_holders;
    private static GCLatencyMode s_before;

    /// <summary>There are none in the process until the result, and those of other callers, are disposed.</summary>
    public static IDisposable HoldBack()
    {
        lock (s_lock)
        {
            if (s_holders++ == 0)
            {
                s_before = GCSettings.LatencyMode;
                GCSettings.LatencyMode = GCLatencyMode.Batch;
            }
        }

        return new Holder();
    }

    private sealed class Holder : IDisposable
    {
        private bool _isDisposed;

        public void Dispose()
        {
            lock (s_lock)
            {
                if (_isDisposed)
                    return;
                _isDisposed = true;
                if (--s_holders == 0)
                    GCSettings.LatencyMode = s_before;
            }
        }
    }
}
