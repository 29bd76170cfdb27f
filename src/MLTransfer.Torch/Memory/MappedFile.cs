using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
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
        var (start, end) = PagesOf(tensor, 0, tensor.numel());
        Release(start, end);
    }

    /// <summary>Whether a tensor lies over a mapped file.</summary>
    public static bool IsMapped(Tensor tensor) => NativeTensor.OwnerOf(tensor) is SafeMemoryMappedViewHandle;

    /// <summary>
    /// The same as <see cref="ReleaseMemory"/> where a tensor lies over a mapped file and has not been written to; else nothing, and
    /// nothing too where the system does not tell.
    /// </summary>
    /// <param name="tensor">Contiguous.</param>
    /// <param name="first">The first of the elements whose memory is given back.</param>
    /// <param name="count">How many they are; all to the end where null.</param>
    public static void ReleaseUnchanged(Tensor tensor, long first = 0, long? count = null)
    {
        if (!OperatingSystem.IsLinux() || !IsMapped(tensor))
            return;
        var (start, end) = PagesOf(tensor, first, count ?? tensor.numel() - first);
        if (!MayHaveChanged(start, end))
            Release(start, end);
    }

    public void Dispose() => Handle.Dispose();

    /// <summary>The whole pages of elements, by number: others have neighbours' data.</summary>
    private static (long Start, long End) PagesOf(Tensor tensor, long first, long count)
    {
        long page = Environment.SystemPageSize, size = NativeTensor.ElementSize(tensor.dtype);
        var start = (long)NativeTensor.Pointer(tensor) + first * size;
        return ((start + page - 1) / page, (start + count * size) / page);
    }

    private static void Release(long start, long end)
    {
        var page = (nuint)Environment.SystemPageSize;
        if (OperatingSystem.IsLinux() && end > start) // elsewhere memory is only not as small as it could be
            _ = Advise((nuint)start * page, (nuint)(end - start) * page, MadviseDontNeed);
    }

    /// <summary>Whether a page of a private mapping is not the file's any more, by <c>/proc/self/pagemap</c>.</summary>
    private static bool MayHaveChanged(long start, long end)
    {
        const ulong IsPresent = 1UL << 63, IsSwapped = 1UL << 62, IsOfFile = 1UL << 61;
        try
        {
            using var pages = File.OpenHandle("/proc/self/pagemap");
            Span<ulong> entries = stackalloc ulong[512];
            for (var first = start; first < end; first += entries.Length)
            {
                var part = entries[..(int)Math.Min(entries.Length, end - first)];
                var bytes = MemoryMarshal.AsBytes(part);
                if (RandomAccess.Read(pages, bytes, first * sizeof(ulong)) != bytes.Length)
                    return true;
                foreach (var entry in part)
                {
                    if ((entry & IsSwapped) != 0 || (entry & (IsPresent | IsOfFile)) == IsPresent)
                        return true;
                }
            }

            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private const int MadviseDontNeed = 4;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nuint address, nuint length, int advice);
}
