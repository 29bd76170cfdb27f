using System.Text;
using MLTransfer.Torch.Checkpoints.Gguf.Blocks;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Gguf;

/// <summary>
/// Writes the GGUF format, version 3, little endian, with data aligned to 32 bytes. Tensors are read, converted and written one after the
/// other, in pieces, so that the model is not in memory twice.
/// </summary>
internal static class GgufWriter
{
    /// <summary>The values that are converted at a time: whole blocks.</summary>
    private const int ChunkValues = 1 << 20;

    /// <summary>The most bytes of a tensor's name that llama.cpp reads.</summary>
    private const int MaximumNameBytes = 63;

    /// <summary>Writes a file, aside and then renamed into place.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="metadata">What the file says of itself.</param>
    /// <param name="tensors">The tensors, in the order in which they are written.</param>
    /// <param name="cancellationToken">Stops between tensors; nothing is left then.</param>
    /// <exception cref="ArgumentException">A name occurs twice or is too long, or rows are no whole blocks.</exception>
    /// <exception cref="InvalidDataException">A value cannot be written in the format: it is not finite.</exception>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    public static void Write(
        string path, GgufMetadata metadata, IReadOnlyList<GgufOutput> tensors, CancellationToken cancellationToken = default)
    {
        Check(tensors);
        AtomicFile.Write(path, stream =>
        {
            using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
            WriteHeader(writer, metadata, tensors);
            Pad(writer);
            foreach (var tensor in tensors)
            {
                cancellationToken.ThrowIfCancellationRequested();
                WriteData(writer, tensor);
                Pad(writer);
            }
        });
    }

    private static void Check(IReadOnlyList<GgufOutput> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, type, shape, _) in tensors)
        {
            if (!names.Add(name))
                throw new ArgumentException($"Two tensors are called '{name}'.", nameof(tensors));
            if (Encoding.UTF8.GetByteCount(name) > MaximumNameBytes)
                throw new ArgumentException($"The name '{name}' is longer than {MaximumNameBytes} bytes.", nameof(tensors));
            if (shape.Length > GgufHeader.MaximumRank || shape.Contains(0) || (shape is [.., var row] ? row : 1) % type.BlockLength != 0)
                throw new ArgumentException($"{TensorShape.Describe(shape)} of '{name}' cannot be stored as {type.Name}.", nameof(tensors));
        }
    }

    private static void WriteHeader(BinaryWriter writer, GgufMetadata metadata, IReadOnlyList<GgufOutput> tensors)
    {
        writer.Write(GgufHeader.Magic);
        writer.Write(GgufHeader.Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        foreach (var (key, value) in metadata.Values)
        {
            WriteText(writer, key);
            writer.Write((uint)TypeOf(value));
            WriteValue(writer, value);
        }

        long offset = 0;
        foreach (var (name, type, shape, _) in tensors)
        {
            WriteText(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var extent in shape.Reverse())
                writer.Write((ulong)extent);
            writer.Write((uint)type.Id);
            writer.Write((ulong)offset);
            offset = GgufHeader.AlignUp(offset + type.BytesOf(shape.Aggregate(1L, (product, extent) => product * extent)),
                GgufHeader.DefaultAlignment);
        }
    }

    private static GgufValueType TypeOf(object value) => value switch
    {
        byte => GgufValueType.UInt8,
        sbyte => GgufValueType.Int8,
        ushort => GgufValueType.UInt16,
        short => GgufValueType.Int16,
        uint => GgufValueType.UInt32,
        int => GgufValueType.Int32,
        float => GgufValueType.Float32,
        bool => GgufValueType.Bool,
        string => GgufValueType.String,
        ulong => GgufValueType.UInt64,
        long => GgufValueType.Int64,
        double => GgufValueType.Float64,
        Array => GgufValueType.Array,
        _ => throw new ArgumentException($"A value of type {value.GetType().Name} cannot be stored.", nameof(value)),
    };

    private static void WriteValue(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case byte number: writer.Write(number); break;
            case sbyte number: writer.Write(number); break;
            case ushort number: writer.Write(number); break;
            case short number: writer.Write(number); break;
            case uint number: writer.Write(number); break;
            case int number: writer.Write(number); break;
            case float number: writer.Write(number); break;
            case bool flag: writer.Write(flag); break;
            case string text: WriteText(writer, text); break;
            case ulong number: writer.Write(number); break;
            case long number: writer.Write(number); break;
            case double number: writer.Write(number); break;
            case Array list: WriteList(writer, list); break;
        }
    }

    private static void WriteList(BinaryWriter writer, Array list)
    {
        var element = list.GetType().GetElementType()!;
        writer.Write((uint)(element == typeof(object) ? GgufValueType.Array
            : TypeOf(element == typeof(string) ? "" : Activator.CreateInstance(element)!)));
        writer.Write((ulong)list.Length);
        foreach (var item in list)
            WriteValue(writer, item!);
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Pad(BinaryWriter writer)
    {
        writer.Flush();
        var position = writer.BaseStream.Position;
        writer.Write(new byte[GgufHeader.AlignUp(position, GgufHeader.DefaultAlignment) - position]);
    }

    private static void WriteData(BinaryWriter writer, GgufOutput output)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var tensor = output.Read();
        if (!tensor.shape.SequenceEqual(output.Shape))
        {
            throw new ArgumentException(
                $"The tensor '{output.Name}' is of shape {TensorShape.Describe(tensor.shape)}, not {TensorShape.Describe(output.Shape)}.");
        }

        var values = tensor.detach().flatten();
        for (long start = 0; start < values.numel(); start += ChunkValues)
        {
            using var chunkScope = NewDisposeScope();
            var chunk = values.narrow(0, start, Math.Min(ChunkValues, values.numel() - start)).cpu();
            WriteChunk(writer, output, chunk);
        }
    }

    private static void WriteChunk(BinaryWriter writer, GgufOutput output, Tensor chunk)
    {
        var type = output.Type;
        if (type.Decode is null)
        {
            var converted = chunk.to(type.DataType).contiguous();
            writer.Write(converted.bytes);
            GC.KeepAlive(converted);
            return;
        }

        var numbers = chunk.to(ScalarType.Float32).contiguous();
        var blocks = new byte[type.BytesOf(numbers.numel())];
        if (!BlockEncoder.TryEncode(type, NativeTensor.AsSpan<float>(numbers), blocks))
            throw new InvalidDataException($"The weights '{output.Name}' have values that are not finite; {type.Name} has no such.");
        GC.KeepAlive(numbers);
        writer.Write(blocks);
    }
}
