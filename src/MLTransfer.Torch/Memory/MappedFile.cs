using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Memory;

/// <summary>A whole file in memory, private and copy-on-write. The mapping lives until this and all tensors over it are disposed.</summary>
internal sealed unsafe partial class MappedFile : IDisposable
{
    // Never disposed: that would refuse new references to the handle, which has a finalizer of its own.
    private readonly MemoryMappedViewAccessor _view;

    private static ReadOnlySpan<byte> GitLfsPointer => "version https://git-lfs.github.com/spec/"u8;

    private MappedFile(string path, MemoryMappedViewAccessor view, long length)
    {
        Path = path;
        _view = view;
        Length = length;
    }

    public string Path { get; }

    /// <summary>The bytes of the file; the mapping itself is rounded up to whole pages.</summary>
    public long Length { get; }

    /// <summary>Its value is the address of the first byte. Tensors hold references to it.</summary>
    public SafeHandle Handle => _view.SafeMemoryMappedViewHandle;

    /// <summary>The first byte; the caller keeps this object alive, or holds a reference to <see cref="Handle"/>.</summary>
    public byte* Pointer => (byte*)Handle.DangerousGetHandle();

    /// <summary>Maps a file.</summary>
    /// <exception cref="InvalidDataException">The file is empty, or it is a device or a pipe.</exception>
    public static MappedFile Open(string path)
    {
        using var stream = FileOnDisk.OpenRead(path);
        long length = stream.Length;
        Span<byte> start = stackalloc byte[GitLfsPointer.Length];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(GitLfsPointer))
            throw new InvalidDataException($"'{path}' is a pointer of Git LFS, not the file itself; run 'git lfs pull' in its folder.");
        using var file = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: true);
        return new MappedFile(path, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.CopyOnWrite), length);
    }

    /// <summary>
    /// Gives back the memory of a tensor over a mapped file, which must not have been written to. The next use reads the file again.
    /// </summary>
    public static void ReleaseMemory(Tensor tensor)
    {
        if (!OperatingSystem.IsLinux())
            return; // where it is only not as small as it could be
        var page = (nuint)Environment.SystemPageSize;
        var start = (nuint)NativeTensor.Pointer(tensor);
        var end = start + (nuint)(tensor.numel() * NativeTensor.ElementSize(tensor.dtype));
        var first = (start + page - 1) / page * page; // whole pages alone: others have neighbours' data
        if (end / page * page is var last && last > first)
            _ = Advise(first, last - first, MadviseDontNeed);
    }

    public void Dispose() => Handle.Dispose();

    private const int MadviseDontNeed = 4;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nuint address, nuint length, int advice);
}
