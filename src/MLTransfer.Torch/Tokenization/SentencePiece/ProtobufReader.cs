using System.Buffers.Binary;

namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>Reads the fields of a message in protobuf's wire format, one after the other, within the bytes that are there.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string file)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _position;

    /// <summary>The number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>The current field as a number: a varint, or the bits of a fixed one.</summary>
    public ulong Value { get; private set; }

    /// <summary>The current field's bytes, where it has a length.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The current field as a number of 32 bits with a fraction.</summary>
    public readonly float Float => BitConverter.UInt32BitsToSingle((uint)Value);

    /// <summary>Goes to the next field; false at the end.</summary>
    public bool Read()
    {
        if (_position == _message.Length)
            return false;
        ulong key = ReadVarint();
        (Field, Value) = ((int)Math.Min(key >> 3, int.MaxValue), 0);
        Bytes = default;
        switch (key & 7)
        {
            case 0:
                Value = ReadVarint();
                break;
            case 1:
                Value = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                Bytes = Take(ReadVarint());
                break;
            case 5:
                Value = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw Malformed();
        }

        return true;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte part = Take(1)[0];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        throw Malformed();
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - _position))
            throw Malformed();
        ReadOnlySpan<byte> taken = _message.Slice(_position, (int)length);
        _position += (int)length;
        return taken;
    }

    private readonly InvalidDataException Malformed() =>
        new($"{file} is no SentencePiece model: it is not in protobuf's format, or cut off (at byte {_position} of a message).");
}
