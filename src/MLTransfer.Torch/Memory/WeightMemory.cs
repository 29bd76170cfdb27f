using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Memory;

/// <summary>Native memory for a matrix that is read again and again, in large pages where the system has them.</summary>
internal sealed unsafe partial class WeightMemory : SafeHandle
{
    private const nuint LargePage = 2 << 20;
    private const int AdviceHugePages = 14; // MADV_HUGEPAGE

    /// <summary>Allocates <paramref name="size"/> bytes, not cleared.</summary>
    public WeightMemory(long size) : base(IntPtr.Zero, ownsHandle: true)
    {
        var alignment = (nuint)size >= LargePage / 2 ? LargePage : 64;
        SetHandle((IntPtr)NativeMemory.AlignedAlloc((nuint)Math.Max(size, 1), alignment));
        if (alignment == LargePage && OperatingSystem.IsLinux())
            _ = Advise((void*)handle, (nuint)size, AdviceHugePages); // advice: where it is refused, pages are small
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == IntPtr.Zero;

    /// <summary>The first byte; valid until the memory is disposed.</summary>
    public byte* Pointer => (byte*)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
