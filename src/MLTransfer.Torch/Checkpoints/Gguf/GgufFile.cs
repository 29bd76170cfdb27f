using System.Runtime.InteropServices;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Gguf;

/// <summary>
/// A file in the GGUF format of llama.cpp, versions 2 and 3. Tensors of F32, F16, BF16 and whole numbers are views of the mapped file;
/// those of quantized formats are read as float32: the values that their blocks stand for.
/// </summary>
internal sealed class GgufFile : Checkpoint
{
    /// <summary>The values that are made of blocks at a time.</summary>
    private const int ChunkValues = 1 << 18;

    private readonly SafeHandle _memory;
    private readonly long _dataStart;
    private readonly Dictionary<string, GgufTensor> _stored;
    private readonly Dictionary<string, TensorInfo> _tensors;
    private volatile bool _disposed;

    private GgufFile(string path, SafeHandle memory, GgufHeader header)
        : base(path)
    {
        (_memory, _dataStart, Metadata) = (memory, header.DataStart, header.Metadata);
        _stored = header.Tensors.ToDictionary(tensor => tensor.Name);
        _tensors = header.Tensors.ToDictionary(tensor => tensor.Name, tensor => new TensorInfo(tensor.Type.DataType, tensor.Shape));
    }

    public GgufMetadata Metadata { get; }

    /// <summary>The tensors as they are stored.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Stored => _stored;

    public override IReadOnlyDictionary<string, TensorInfo> Tensors
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _tensors;
        }
    }

    /// <summary>Whether a path is that of a file which begins as one of GGUF does.</summary>
    public static bool Is(string path)
    {
        if (!File.Exists(path) || !(FileOnDisk.Length(path) >= sizeof(uint)))
            return false;
        using var stream = FileOnDisk.OpenRead(path);
        Span<byte> start = stackalloc byte[sizeof(uint)];
        stream.ReadExactly(start);
        return start.SequenceEqual("GGUF"u8);
    }

    /// <summary>Maps a file into memory. No tensor's data is touched before it is read.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file breaks a rule of the format; the message names file and tensor.</exception>
    public static new unsafe GgufFile Open(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            return new GgufFile(path, file.Handle, GgufHeader.Read(new GgufReader(file.Pointer, file.Length, path)));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override Tensor Read(string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_stored.TryGetValue(name, out var tensor))
            throw Missing(name);
        var data = new StoredData(_memory, _dataStart + tensor.Offset);
        return tensor.Type.Decode is { } decode
            ? Decode(data, tensor, decode) : data.ToTensor(tensor.Shape, tensor.Type.DataType, Location, name);
    }

    internal override void ReleaseMemory(string name)
    {
        var tensor = _stored[name];
        using var bytes = new StoredData(_memory, _dataStart + tensor.Offset).ToTensor([tensor.Bytes], ScalarType.Byte, Location, name);
        MappedFile.ReleaseMemory(bytes);
    }

    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _memory.Dispose();
    }

    private static unsafe Tensor Decode(StoredData stored, GgufTensor tensor, BlockDecoder decode)
    {
        var type = tensor.Type;
        var values = empty(tensor.Shape, ScalarType.Float32);
        var referenced = false;
        try
        {
            stored.Owner.DangerousAddRef(ref referenced);
            var blocks = (byte*)stored.Owner.DangerousGetHandle() + stored.Offset;
            var target = (float*)NativeTensor.Pointer(values);
            var (blockCount, perChunk) = (tensor.Bytes / type.BlockBytes, (long)(ChunkValues / type.BlockLength));
            Parallel.For(0, (blockCount + perChunk - 1) / perChunk, chunk =>
            {
                var (first, count) = (chunk * perChunk, (int)Math.Min(perChunk, blockCount - chunk * perChunk));
                decode(
                    new ReadOnlySpan<byte>(blocks + first * type.BlockBytes, count * type.BlockBytes),
                    new Span<float>(target + first * type.BlockLength, count * type.BlockLength));
            });
            return values;
        }
        finally
        {
            if (referenced)
                stored.Owner.DangerousRelease();
        }
    }
}
