using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Memory;

/// <summary>A block of native memory that can grow while it is being filled; freed with its last reference.</summary>
internal sealed unsafe class NativeMemoryHandle : SafeHandle
{
    /// <summary>Allocates <paramref name="size"/> bytes (at least one), not cleared.</summary>
    public NativeMemoryHandle(long size) : base(IntPtr.Zero, ownsHandle: true) => Resize(size);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == IntPtr.Zero;

    /// <summary>The first byte; valid while the caller holds a reference.</summary>
    public byte* Pointer => (byte*)handle;

    /// <summary>Changes the size and keeps the contents; only for the thread that fills the block, before anyone else sees it.</summary>
    public void Resize(long size) => SetHandle((IntPtr)NativeMemory.Realloc((void*)handle, (nuint)Math.Max(size, 1)));

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
