using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace MLTransfer.Torch.Checkpoints.Gguf;

/// <summary>Reads numbers, texts and values from the bytes of a file, which may say anything.</summary>
/// <param name="memory">The first byte; the caller keeps the memory alive.</param>
/// <param name="length">The bytes of the file.</param>
/// <param name="location">What error messages call it.</param>
internal sealed unsafe class GgufReader(byte* memory, long length, string location)
{
    private const int MaximumTextBytes = 1 << 28;

    /// <summary>How deep lists may lie in lists.</summary>
    private const int MaximumDepth = 4;

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string Location => location;

    public long Length => length;

    public long Position { get; private set; }

    public InvalidDataException Invalid(string what) => new($"'{location}' is no valid GGUF file: {what}.");

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    /// <summary>A number of things, of which each takes some bytes at least, so that the file has room for all of them.</summary>
    public int Count(int bytesOfEach, string what)
    {
        var count = UInt64();
        return count <= (ulong)((length - Position) / bytesOfEach) && count <= (ulong)Array.MaxLength
            ? (int)count : throw Invalid($"it has {count} {what}, for which its {length} bytes have no room");
    }

    public string Text(int maximumBytes, string what)
    {
        var count = UInt64();
        if (count > (ulong)maximumBytes)
            throw Invalid($"{what} has {count} bytes; expected at most {maximumBytes}");
        try
        {
            return s_strictUtf8.GetString(Take((int)count));
        }
        catch (DecoderFallbackException)
        {
            throw Invalid($"{what} is no UTF-8");
        }
    }

    /// <summary>A value of metadata: a number, a bool, a text, or an array of them or of such arrays.</summary>
    public object Value(string key) => Value(Type(key), key, 0);

    private object Value(GgufValueType type, string key, int depth) => type switch
    {
        GgufValueType.UInt8 => Take(1)[0],
        GgufValueType.Int8 => (sbyte)Take(1)[0],
        GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort))),
        GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(Take(sizeof(short))),
        GgufValueType.UInt32 => UInt32(),
        GgufValueType.Int32 => (int)UInt32(),
        GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float))),
        GgufValueType.Bool => Flag(key),
        GgufValueType.String => Text(MaximumTextBytes, $"the metadata entry '{key}'"),
        GgufValueType.Array => List(key, depth + 1),
        GgufValueType.UInt64 => UInt64(),
        GgufValueType.Int64 => (long)UInt64(),
        GgufValueType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(Take(sizeof(double))),
        _ => throw Invalid($"the metadata entry '{key}' is of the type with number {(uint)type}"),
    };

    private Array List(string key, int depth)
    {
        if (depth > MaximumDepth)
            throw Invalid($"the metadata entry '{key}' has lists within lists deeper than {MaximumDepth}");
        var type = Type(key);
        return type switch
        {
            GgufValueType.UInt8 => Numbers<byte>(key),
            GgufValueType.Int8 => Numbers<sbyte>(key),
            GgufValueType.UInt16 => Numbers<ushort>(key),
            GgufValueType.Int16 => Numbers<short>(key),
            GgufValueType.UInt32 => Numbers<uint>(key),
            GgufValueType.Int32 => Numbers<int>(key),
            GgufValueType.Float32 => Numbers<float>(key),
            GgufValueType.UInt64 => Numbers<ulong>(key),
            GgufValueType.Int64 => Numbers<long>(key),
            GgufValueType.Float64 => Numbers<double>(key),
            GgufValueType.Bool => Values<bool>(type, 1, key, depth),
            GgufValueType.String => Values<string>(type, sizeof(ulong), key, depth),
            GgufValueType.Array => Values<object>(type, sizeof(uint) + sizeof(ulong), key, depth),
            _ => throw Invalid($"the metadata entry '{key}' is a list of the type with number {(uint)type}"),
        };
    }

    private T[] Numbers<T>(string key)
        where T : unmanaged
    {
        var count = Count(sizeof(T), $"values in the list '{key}'");
        return MemoryMarshal.Cast<byte, T>(Take(checked(count * sizeof(T)))).ToArray();
    }

    private T[] Values<T>(GgufValueType type, int bytesOfEach, string key, int depth)
    {
        var values = new T[Count(bytesOfEach, $"values in the list '{key}'")];
        for (var i = 0; i < values.Length; i++)
            values[i] = (T)Value(type, key, depth);
        return values;
    }

    private bool Flag(string key)
    {
        var value = Take(1)[0];
        return value <= 1 ? value == 1 : throw Invalid($"the metadata entry '{key}' is a bool of value {value}");
    }

    private GgufValueType Type(string key)
    {
        var number = UInt32();
        return number <= (uint)GgufValueType.Float64
            ? (GgufValueType)number : throw Invalid($"the metadata entry '{key}' is of the type with number {number}");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > length - Position)
            throw Invalid($"it ends after {length} bytes, in its header");
        var taken = new ReadOnlySpan<byte>(memory + Position, count);
        Position += count;
        return taken;
    }
}
