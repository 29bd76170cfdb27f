using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>
/// The directory of a zip archive in memory (PKWARE APPNOTE 6.3, with its 64-bit extensions). Unlike System.IO.Compression it says where an
/// entry's data is, so that what is stored without compression need not be copied.
/// </summary>
internal sealed unsafe class ZipDirectory
{
    /// <summary>How much larger than the file all compressed entries together may be: more is a bomb.</summary>
    private const long MaximumExpansion = 100;

    private const uint LocalSignature = 0x04034b50, CentralSignature = 0x02014b50, EndSignature = 0x06054b50;
    private const uint End64Signature = 0x06064b50, Locator64Signature = 0x07064b50;
    private const int LocalLength = 30, CentralLength = 46, EndLength = 22, End64Length = 56, Locator64Length = 20;

    private readonly Dictionary<string, ZipEntry> _entries = [];

    private ZipDirectory(MappedFile file) => File = file;

    public MappedFile File { get; }

    public IEnumerable<string> Names => _entries.Keys;

    public static bool StartsLikeZip(MappedFile file) => file.Length >= 4
        && BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(file.Pointer, 4)) is LocalSignature or EndSignature;

    /// <exception cref="InvalidDataException">The archive is damaged, encrypted, or compressed by a method other than deflate.</exception>
    public static ZipDirectory Read(MappedFile file)
    {
        var zip = new ZipDirectory(file);
        zip.ReadCentralDirectory();
        return zip;
    }

    public ZipEntry? Find(string name) => _entries.GetValueOrDefault(name);

    /// <summary>The contents of a small entry.</summary>
    public byte[] Bytes(ZipEntry entry, int maximumLength)
    {
        if (entry.Length > maximumLength)
            throw Invalid($"the entry '{entry.Name}' is {entry.Length} bytes long; at most {maximumLength} are read");
        if (!entry.IsDeflated) return Slice(entry.Offset, (int)entry.Length).ToArray();
        using NativeMemoryHandle contents = Inflate(entry);
        return new ReadOnlySpan<byte>(contents.Pointer, (int)entry.Length).ToArray();
    }

    /// <summary>Unpacks a compressed entry; the caller disposes the memory.</summary>
    public NativeMemoryHandle Inflate(ZipEntry entry)
    {
        bool referenced = false;
        NativeMemoryHandle? contents = null;
        try
        {
            File.Handle.DangerousAddRef(ref referenced);
            contents = new NativeMemoryHandle(entry.Length);
            using var packed = new UnmanagedMemoryStream(File.Pointer + entry.Offset, entry.StoredLength);
            using var deflate = new DeflateStream(packed, CompressionMode.Decompress);
            for (long filled = 0; filled < entry.Length;)
            {
                int read = deflate.Read(new Span<byte>(contents.Pointer + filled, (int)Math.Min(entry.Length - filled, 1 << 30)));
                if (read == 0) throw Invalid($"the entry '{entry.Name}' ends too early");
                filled += read;
            }
            if (deflate.ReadByte() >= 0) throw Invalid($"the entry '{entry.Name}' is longer than the directory says");
            return contents;
        }
        catch (InvalidDataException exception) when (!exception.Message.Contains(File.Path, StringComparison.Ordinal))
        {
            contents?.Dispose();
            throw new InvalidDataException(
                $"'{File.Path}' is not a valid zip archive: the entry '{entry.Name}' cannot be unpacked. {exception.Message}", exception);
        }
        catch
        {
            contents?.Dispose();
            throw;
        }
        finally
        {
            if (referenced) File.Handle.DangerousRelease();
        }
    }

    private InvalidDataException Invalid(string problem) => new($"'{File.Path}' is not a valid zip archive: {problem}.");

    private ReadOnlySpan<byte> Slice(long offset, int length)
    {
        if (offset < 0 || offset > File.Length || length > File.Length - offset)
            throw Invalid($"it points to byte {offset}, outside of the file");
        return new ReadOnlySpan<byte>(File.Pointer + offset, length);
    }

    private static ushort Read16(ReadOnlySpan<byte> record, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(record[offset..]);

    private static uint Read32(ReadOnlySpan<byte> record, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(record[offset..]);

    /// <summary>Read as signed: what is negative then is refused like any other number that is too large for the file.</summary>
    private static long Read64(ReadOnlySpan<byte> record, int offset) => BinaryPrimitives.ReadInt64LittleEndian(record[offset..]);

    private void ReadCentralDirectory()
    {
        var (position, length, count) = FindCentralDirectory();
        if (position < 0 || length < 0 || position > File.Length || length > File.Length - position
            || count < 0 || count > length / CentralLength)
            throw Invalid("its directory lies outside of the file; the file may be cut off");

        long end = position + length, unpacked = 0;
        for (long index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> record = Slice(position, CentralLength);
            if (Read32(record, 0) != CentralSignature) throw Invalid("its directory is damaged");
            int nameLength = Read16(record, 28), extraLength = Read16(record, 30), commentLength = Read16(record, 32);
            string name = Encoding.UTF8.GetString(Slice(position + CentralLength, nameLength));
            ReadOnlySpan<byte> extra = Slice(position + CentralLength + nameLength, extraLength);
            ZipEntry entry = ReadEntry(name, record, extra);
            if (!PlainName.IsTensor(name)) throw Invalid("the name of an entry has the character NUL in it");
            if (!_entries.TryAdd(name, entry)) throw Invalid($"the entry '{name}' occurs twice");
            if (entry.IsDeflated && (unpacked += entry.Length) > MaximumExpansion * File.Length)
                throw Invalid($"its entries would unpack to more than {MaximumExpansion} times the size of the file");
            position += CentralLength + nameLength + extraLength + commentLength;
            if (position > end) throw Invalid("its directory is longer than it says");
        }
    }

    private (long Position, long Length, long Count) FindCentralDirectory()
    {
        // The last record, with a comment of up to 65535 bytes.
        long lowest = Math.Max(0, File.Length - EndLength - ushort.MaxValue);
        for (long position = File.Length - EndLength; position >= lowest; position--)
        {
            ReadOnlySpan<byte> record = Slice(position, EndLength);
            if (Read32(record, 0) != EndSignature || position + EndLength + Read16(record, 20) != File.Length) continue;
            if (position >= Locator64Length)
            {
                ReadOnlySpan<byte> locator = Slice(position - Locator64Length, Locator64Length);
                if (Read32(locator, 0) == Locator64Signature)
                {
                    ReadOnlySpan<byte> end = Slice(Read64(locator, 8), End64Length);
                    if (Read32(end, 0) != End64Signature) throw Invalid("its 64-bit directory is damaged");
                    return (Read64(end, 48), Read64(end, 40), Read64(end, 32));
                }
            }
            return (Read32(record, 16), Read32(record, 12), Read16(record, 10));
        }
        throw Invalid("it has no directory at its end; the file may be cut off");
    }

    private ZipEntry ReadEntry(string name, ReadOnlySpan<byte> record, ReadOnlySpan<byte> extra)
    {
        int method = Read16(record, 10);
        if ((Read16(record, 8) & 1) != 0) throw Invalid($"the entry '{name}' is encrypted");
        if (method is not (0 or 8))
            throw Invalid($"the entry '{name}' is compressed by method {method}; stored and deflated entries are read");

        long storedLength = Read32(record, 20), length = Read32(record, 24), header = Read32(record, 42);
        ReadOnlySpan<byte> wide = Extension64(extra);
        Widen(ref length, ref wide, name);
        Widen(ref storedLength, ref wide, name);
        Widen(ref header, ref wide, name);
        if (length < 0 || method == 0 && length != storedLength) throw Invalid($"the entry '{name}' has a wrong length");

        // The local header's own name and extra field set where the data starts.
        ReadOnlySpan<byte> local = Slice(header, LocalLength);
        if (Read32(local, 0) != LocalSignature) throw Invalid($"the header of the entry '{name}' is damaged");
        long offset = header + LocalLength + Read16(local, 26) + Read16(local, 28);
        if (storedLength < 0 || offset > File.Length || storedLength > File.Length - offset)
            throw Invalid($"the entry '{name}' goes past the end of the file; the file may be cut off");
        return new ZipEntry(name, offset, storedLength, length, method == 8);
    }

    /// <summary>The extra field with 64-bit values, which holds in turn those that are too large for the record.</summary>
    private ReadOnlySpan<byte> Extension64(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int size = Read16(extra, 2);
            if (size > extra.Length - 4) throw Invalid("an extra field of its directory is damaged");
            if (Read16(extra, 0) == 1) return extra.Slice(4, size);
            extra = extra[(4 + size)..];
        }
        return [];
    }

    private void Widen(ref long value, ref ReadOnlySpan<byte> wide, string name)
    {
        if (value != uint.MaxValue) return;
        if (wide.Length < sizeof(long)) throw Invalid($"the entry '{name}' lacks its 64-bit length");
        value = Read64(wide, 0);
        wide = wide[sizeof(long)..];
    }
}
