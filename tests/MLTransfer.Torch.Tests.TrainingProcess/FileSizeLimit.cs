using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Tests.TrainingProcess;

/// <summary>Makes writes over a small size fail in the middle, as on a full disk, or end the process. Linux only.</summary>
internal static partial class FileSizeLimit
{
    private const int SizeLimit = 1;       // RLIMIT_FSIZE
    private const int ExceededSignal = 25; // SIGXFSZ
    private const ulong TrainingBytes = 700_000; // more than the weights, less than the optimizer's state

    public enum Consequence { Death, Error }

    public static void Set(Consequence consequence, ulong bytes = TrainingBytes)
    {
        var limit = new Limit { Soft = bytes, Hard = bytes };
        _ = signal(ExceededSignal, consequence == Consequence.Death ? 0 : 1); // SIG_DFL, SIG_IGN
        if (setrlimit(SizeLimit, in limit) != 0)
            throw new InvalidOperationException("setrlimit failed.");
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }

    [LibraryImport("libc")]
    private static partial int setrlimit(int resource, in Limit limit);

    [LibraryImport("libc")]
    private static partial IntPtr signal(int number, IntPtr handler);
}
