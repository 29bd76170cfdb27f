using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Safetensors;

/// <summary>
/// A file in the safetensors format (https://github.com/huggingface/safetensors): dtypes F64, F32, F16, BF16, I64, I32, I16, I8, U8 and
/// BOOL. Every rule of the format is checked when the file is opened.
/// </summary>
public sealed class SafetensorsFile : Checkpoint
{
    /// <summary>Where a stream does not say how long it is, memory grows from here with what has really arrived.</summary>
    private const int FirstAllocation = 64 << 20;

    private readonly Dictionary<string, TensorInfo> _tensors;
    private readonly Dictionary<string, StoredData> _data;
    private readonly IReadOnlyDictionary<string, string> _metadata;
    private readonly bool _isMapped;
    private volatile bool _disposed;

    private SafetensorsFile(string location, SafetensorsHeader header, bool isMapped, Func<int, StoredData> data) : base(location)
    {
        (_metadata, _isMapped) = (header.Metadata, isMapped);
        _tensors = header.Entries.ToDictionary(entry => entry.Name, entry => entry.Info);
        _data = header.Entries.Index().ToDictionary(entry => entry.Item.Name, entry => data(entry.Index));
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, TensorInfo> Tensors
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _tensors;
        }
    }

    /// <summary>The file's own text entries, such as <c>format: pt</c>; empty if it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Maps a file into memory. No tensor's data is touched before it is read.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file breaks a rule of the format; the message names file and tensor.</exception>
    public static new unsafe SafetensorsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            if (file.Length < SafetensorsHeader.PrefixLength)
                throw SafetensorsHeader.Invalid(path, $"it has only {file.Length} bytes, fewer than the length of a header takes");
            long rest = file.Length - SafetensorsHeader.PrefixLength;
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(file.Pointer, SafetensorsHeader.PrefixLength));
            SafetensorsHeader.CheckLength(length, rest, path);

            var json = new ReadOnlySpan<byte>(file.Pointer + SafetensorsHeader.PrefixLength, (int)length);
            var header = SafetensorsHeader.Parse(json, rest - (long)length, path);
            long start = SafetensorsHeader.PrefixLength + (long)length;
            return new SafetensorsFile(path, header, isMapped: true, index => new StoredData(file.Handle, start + header.Entries[index].Begin));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Reads a whole file from a stream, such as an entry of a zip, to the stream's end. Each tensor's bytes go straight into the native
    /// memory that becomes the tensor. The stream need not be seekable, and stays open.
    /// </summary>
    /// <param name="stream">At the start of the file.</param>
    /// <param name="location">What error messages call the stream.</param>
    /// <exception cref="InvalidDataException">The data breaks a rule of the format, or the stream ends too early.</exception>
    public static unsafe SafetensorsFile Read(Stream stream, string location = "stream")
    {
        ArgumentNullException.ThrowIfNull(stream);
        long? available = stream.CanSeek ? stream.Length - stream.Position : null;
        var blocks = new List<NativeMemoryHandle>();
        try
        {
            using NativeMemoryHandle prefix = Fill(stream, SafetensorsHeader.PrefixLength, available, location, "the length of its header");
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(prefix.Pointer, SafetensorsHeader.PrefixLength));
            available -= SafetensorsHeader.PrefixLength;
            SafetensorsHeader.CheckLength(length, available, location);

            using NativeMemoryHandle json = Fill(stream, (long)length, available, location, "its header");
            available -= (long)length;
            var header = SafetensorsHeader.Parse(new ReadOnlySpan<byte>(json.Pointer, (int)length), available, location);

            foreach (SafetensorsHeader.Entry entry in header.Entries)
                blocks.Add(Fill(stream, entry.End - entry.Begin, available, location, $"the data of tensor '{entry.Name}'"));
            if (stream.ReadByte() >= 0) throw SafetensorsHeader.Invalid(location, "more data follows the last tensor");
            return new SafetensorsFile(location, header, isMapped: false, index => new StoredData(blocks[index], 0));
        }
        catch
        {
            blocks.ForEach(block => block.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public override Tensor Read(string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_tensors.TryGetValue(name, out TensorInfo? info)) throw Missing(name);
        return _data[name].ToTensor([.. info.Shape], info.DataType, Location, name);
    }

    /// <summary>Whether no tensor is read again after <see cref="ReleaseMemory"/>, so that blocks of memory are freed there too.</summary>
    internal bool IsReadOnce { get; set; }

    internal override void ReleaseMemory(string name)
    {
        if (!_isMapped)
        {
            if (IsReadOnce)
                _data[name].Owner.Dispose();
            return;
        }

        using var tensor = Read(name);
        MappedFile.ReleaseMemory(tensor);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        foreach (SafeHandle owner in _data.Values.Select(data => data.Owner).Distinct()) owner.Dispose();
    }

    private static unsafe NativeMemoryHandle Fill(Stream stream, long size, long? available, string location, string what)
    {
        if (available < size) throw CutOff(location, what);
        long capacity = available is null ? Math.Min(size, FirstAllocation) : size;
        var memory = new NativeMemoryHandle(capacity);
        try
        {
            for (long filled = 0; filled < size;)
            {
                if (filled == capacity)
                {
                    capacity = Math.Min(size, capacity * 2);
                    memory.Resize(capacity);
                }
                int read = stream.Read(new Span<byte>(memory.Pointer + filled, (int)Math.Min(capacity - filled, 1 << 30)));
                if (read == 0) throw CutOff(location, what);
                filled += read;
            }
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    private static InvalidDataException CutOff(string location, string what) =>
        SafetensorsHeader.Invalid(location, $"it ends before the end of {what}");
}
