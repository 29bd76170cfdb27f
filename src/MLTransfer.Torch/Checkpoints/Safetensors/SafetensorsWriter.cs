using System.Buffers.Binary;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Safetensors;

/// <summary>
/// Writes the safetensors format with the same bytes as the format's reference implementation: metadata first, tensors by falling
/// alignment and then by name, the header padded to eight bytes.
/// </summary>
public static class SafetensorsWriter
{
    /// <summary>The elements that are converted or brought from another device at a time.</summary>
    private const long ChunkLength = 1 << 22;

    private static readonly Dictionary<string, string> s_defaultMetadata = new() { ["format"] = "pt" };

    /// <summary>
    /// Writes a file, aside and then renamed into place. If anything fails, an existing file stays as it was. Data goes from the tensors'
    /// memory to the file in pieces; nothing is copied whole but tensors that are not contiguous.
    /// </summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="tensors">The tensors, on any device and of any layout in memory, under names that differ.</param>
    /// <param name="metadata">Text entries of the header; null for <c>format: pt</c>, which Python's transformers asks for.</param>
    /// <param name="storeAs">
    /// Float16, BFloat16, Float32 or Float64: the type in which floating-point tensors are stored; null for each one's own.
    /// </param>
    /// <exception cref="ArgumentException">A name occurs twice, or the format has no such name or element type.</exception>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null, ScalarType? storeAs = null)
    {
        List<Item> items = Arrange(tensors, storeAs);
        AtomicFile.Write(path, stream => Write(stream, items, metadata));
    }

    /// <summary>Writes to a stream, such as an entry of a zip, which stays open.</summary>
    /// <param name="stream">Need not be seekable.</param>
    /// <param name="tensors">The tensors, on any device and of any layout in memory, under names that differ.</param>
    /// <param name="metadata">Text entries of the header; null for <c>format: pt</c>, which Python's transformers asks for.</param>
    /// <param name="storeAs">
    /// Float16, BFloat16, Float32 or Float64: the type in which floating-point tensors are stored; null for each one's own.
    /// </param>
    /// <exception cref="ArgumentException">A name occurs twice, or the format has no such name or element type.</exception>
    public static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null, ScalarType? storeAs = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Write(stream, Arrange(tensors, storeAs), metadata);
    }

    /// <summary>The bytes that a tensor's data will take in a file.</summary>
    internal static long StoredBytes(Tensor tensor, ScalarType? storeAs) =>
        tensor.numel() * NativeTensor.ElementSize(StoredType(tensor, storeAs));

    /// <summary>Refuses what writing would refuse.</summary>
    internal static void Check(IEnumerable<KeyValuePair<string, Tensor>> tensors, ScalarType? storeAs) => Arrange(tensors, storeAs);

    private sealed record Item(string Name, byte[] SortKey, Tensor Tensor, ScalarType Type);

    private static ScalarType StoredType(Tensor tensor, ScalarType? storeAs) =>
        storeAs is ScalarType type && tensor.is_floating_point() ? type : tensor.dtype;

    /// <summary>Checks everything that can be refused, before anything is written, and puts the tensors into the format's order.</summary>
    private static List<Item> Arrange(IEnumerable<KeyValuePair<string, Tensor>> tensors, ScalarType? storeAs)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (storeAs is not (null or ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64))
        {
            throw new ArgumentException(
                $"Weights cannot be stored as {storeAs}; expected Float16, BFloat16, Float32 or Float64.", nameof(storeAs));
        }

        var items = new List<Item>();
        var names = new HashSet<string>();
        foreach (var (name, tensor) in tensors)
        {
            if (name == SafetensorsHeader.MetadataName)
                throw new ArgumentException($"No tensor can be called '{name}': the format keeps that name for itself.", nameof(tensors));
            if (!names.Add(name)) throw new ArgumentException($"Two tensors are called '{name}'.", nameof(tensors));
            ScalarType type = StoredType(tensor, storeAs);
            if (SafetensorsDataType.Rank(type) < 0 || tensor.is_sparse)
            {
                throw new ArgumentException($"The tensor '{name}' is {(tensor.is_sparse ? "sparse" : $"of type {type}")}; " +
                    $"expected a dense tensor of one of the types {SafetensorsDataType.Names}.", nameof(tensors));
            }
            items.Add(new Item(name, SafetensorsText.Encode(name), tensor, type));
        }
        items.Sort((a, b) => a.Type != b.Type
            ? SafetensorsDataType.Rank(b.Type).CompareTo(SafetensorsDataType.Rank(a.Type))
            : a.SortKey.AsSpan().SequenceCompareTo(b.SortKey));
        return items;
    }

    private static void Write(Stream stream, List<Item> items, IReadOnlyDictionary<string, string>? metadata)
    {
        byte[] header = Header(items, metadata ?? s_defaultMetadata);
        Span<byte> length = stackalloc byte[SafetensorsHeader.PrefixLength];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (Item item in items) WriteData(stream, item);
    }

    private static byte[] Header(List<Item> items, IReadOnlyDictionary<string, string> metadata)
    {
        var text = new SafetensorsText();
        text.Raw("{");
        string separator = "";
        if (metadata.Count > 0)
        {
            text.Quoted(SafetensorsHeader.MetadataName).Raw(":{");
            foreach (var (name, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                text.Raw(separator).Quoted(name).Raw(":").Quoted(value);
                separator = ",";
            }
            text.Raw("}");
            separator = ",";
        }
        long position = 0;
        foreach (Item item in items)
        {
            long end = checked(position + item.Tensor.numel() * NativeTensor.ElementSize(item.Type));
            text.Raw(separator).Quoted(item.Name)
                .Raw($$""":{"dtype":"{{SafetensorsDataType.Name(item.Type)}}","shape":[{{string.Join(',', item.Tensor.shape)}}]""")
                .Raw($$""","data_offsets":[{{position}},{{end}}]}""");
            separator = ",";
            position = end;
        }
        text.Raw("}");
        while (text.Length % 8 != 0) text.Raw(" ");
        if (text.Length > SafetensorsHeader.MaximumLength)
        {
            throw new ArgumentException(
                $"The header would take {text.Length} bytes, more than the {SafetensorsHeader.MaximumLength} that the format allows.");
        }
        return text.ToArray();
    }

    private static unsafe void WriteData(Stream stream, Item item)
    {
        using var scope = NewDisposeScope();
        // [n], on the tensor's own device; a copy only if it is not contiguous.
        Tensor flat = item.Tensor.detach().contiguous().view(-1);
        int elementSize = NativeTensor.ElementSize(item.Type);
        for (long start = 0, count = flat.numel(); start < count; start += ChunkLength)
        {
            using var chunkScope = NewDisposeScope();
            Tensor chunk = flat.narrow(0, start, Math.Min(ChunkLength, count - start)).to(item.Type).cpu();
            stream.Write(new ReadOnlySpan<byte>(NativeTensor.Pointer(chunk), (int)chunk.numel() * elementSize));
            GC.KeepAlive(chunk);
        }
    }
}
