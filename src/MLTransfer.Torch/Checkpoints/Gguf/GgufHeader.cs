using System.Numerics;

namespace MLTransfer.Torch.Checkpoints.Gguf;

/// <summary>
/// What stands before the data of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): metadata and the list of
/// tensors. Everything is checked before anything is allocated for it.
/// </summary>
internal sealed class GgufHeader
{
    public const uint Magic = 0x46554747; // "GGUF", read as a number of little endian
    public const uint Version = 3;
    public const string AlignmentKey = "general.alignment";
    public const int DefaultAlignment = 32;
    public const int MaximumRank = 4;

    private const int MaximumAlignment = 1 << 16;
    private const int MaximumNameBytes = 1 << 12;
    private const int ShortestEntry = sizeof(ulong) + sizeof(uint) + 1;              // of metadata: a key of no bytes, a type, a value
    private const int ShortestTensor = sizeof(ulong) + 2 * sizeof(uint) + sizeof(ulong);

    private GgufHeader(GgufMetadata metadata, IReadOnlyList<GgufTensor> tensors, long dataStart) =>
        (Metadata, Tensors, DataStart) = (metadata, tensors, dataStart);

    public GgufMetadata Metadata { get; }

    /// <summary>The tensors, in the order of the file.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Where the data begins in the file.</summary>
    public long DataStart { get; }

    /// <summary>Reads the header of a whole file.</summary>
    /// <exception cref="InvalidDataException">It breaks a rule of the format.</exception>
    public static GgufHeader Read(GgufReader reader)
    {
        if (reader.Length < 2 * sizeof(uint) || reader.UInt32() != Magic)
            throw reader.Invalid("it does not begin with 'GGUF'");
        var version = reader.UInt32();
        if (version is not (2 or Version))
        {
            throw reader.Invalid((version & 0xffff) == 0
                ? "its numbers are of big endian, which is not read" : $"it is of version {version}; versions 2 and {Version} are read");
        }

        var tensorCount = reader.Count(ShortestTensor, "tensors");
        var entryCount = reader.Count(ShortestEntry, "metadata entries");
        var metadata = ReadMetadata(reader, entryCount);
        var alignment = Alignment(metadata, reader);
        var tensors = new List<GgufTensor>(tensorCount);
        for (var i = 0; i < tensorCount; i++)
            tensors.Add(ReadTensor(reader, alignment));
        var dataStart = AlignUp(reader.Position, alignment);
        if (tensors.Count > 0)
            CheckPlaces(reader, tensors, reader.Length - dataStart);
        return new GgufHeader(metadata, tensors, dataStart);
    }

    public static long AlignUp(long position, int alignment) => checked((position + alignment - 1) / alignment * alignment);

    private static GgufMetadata ReadMetadata(GgufReader reader, int count)
    {
        var metadata = new GgufMetadata(reader.Location);
        for (var i = 0; i < count; i++)
        {
            var key = reader.Text(MaximumNameBytes, "the key of a metadata entry");
            if (!metadata.TryAdd(key, reader.Value(key)))
                throw reader.Invalid($"the metadata entry '{key}' is there twice");
        }

        return metadata;
    }

    private static int Alignment(GgufMetadata metadata, GgufReader reader)
    {
        var alignment = metadata.OptionalWhole(AlignmentKey, 1, MaximumAlignment) ?? DefaultAlignment;
        return BitOperations.IsPow2(alignment) && alignment >= 8
            ? alignment : throw reader.Invalid($"{AlignmentKey} is {alignment}; expected a power of two from 8 to {MaximumAlignment}");
    }

    private static GgufTensor ReadTensor(GgufReader reader, int alignment)
    {
        var name = reader.Text(MaximumNameBytes, "the name of a tensor");
        var rank = reader.UInt32();
        if (rank > MaximumRank)
            throw reader.Invalid($"the tensor '{name}' has {rank} dimensions; expected at most {MaximumRank}");
        var shape = new long[rank];
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            var extent = reader.UInt64();
            shape[i] = extent is > 0 and <= long.MaxValue
                ? (long)extent : throw reader.Invalid($"the tensor '{name}' has the extent {extent}; expected 1 or more");
        }

        var id = reader.UInt32();
        var type = GgufTensorType.Find(id) ?? throw reader.Invalid(
            $"the tensor '{name}' is of the type with number {id}, which is not read; these are: {GgufTensorType.Names}");
        if (!TensorShape.TryGetByteCount(shape, 1, out var values) || values > long.MaxValue / sizeof(double))
            throw reader.Invalid($"the tensor '{name}' is too large");
        if ((shape is [.., var row] ? row : 1) % type.BlockLength != 0)
        {
            throw reader.Invalid(
                $"the tensor '{name}' has rows of {(shape is [.., var length] ? length : 1)} values; {type.Name} has blocks of "
                + $"{type.BlockLength}");
        }

        var offset = reader.UInt64();
        if (offset > long.MaxValue || offset % (ulong)alignment != 0)
            throw reader.Invalid($"the data of the tensor '{name}' begins at {offset}, which is no multiple of {alignment}");
        return new GgufTensor(name, type, shape, (long)offset, type.BytesOf(values));
    }

    /// <summary>Each tensor lies within the data, and no two in one place.</summary>
    private static void CheckPlaces(GgufReader reader, List<GgufTensor> tensors, long available)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var (end, before) = (0L, "");
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Offset))
        {
            if (!names.Add(tensor.Name))
                throw reader.Invalid($"two tensors are called '{tensor.Name}'");
            if (tensor.Offset > available || tensor.Bytes > available - tensor.Offset)
            {
                throw reader.Invalid(
                    $"the data of the tensor '{tensor.Name}', {tensor.Bytes} bytes from {tensor.Offset} on, is cut off: "
                    + $"{Math.Max(0, available)} bytes follow the header");
            }

            if (tensor.Offset < end)
                throw reader.Invalid($"the data of the tensors '{before}' and '{tensor.Name}' overlap");
            (end, before) = (tensor.Offset + tensor.Bytes, tensor.Name);
        }
    }
}
