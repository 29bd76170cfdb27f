using System.Buffers.Binary;
using System.Text;

namespace MLTransfer.Torch.Tests.Checkpoints.Gguf;

/// <summary>Bytes of GGUF files, valid or not.</summary>
internal static class RawGguf
{
    public static byte[] File(uint version, ulong tensors, ulong entries, params IEnumerable<byte[]> parts) =>
        [.. "GGUF"u8, .. Type(version), .. Number(tensors), .. Number(entries), .. parts.SelectMany(part => part)];

    public static byte[] Tensor(ulong[] dimensions, uint type, ulong offset) =>
        File(3, 1, 0, Info("t", dimensions, type, offset), new byte[128]);

    public static byte[] Tensor(ulong[] dimensions, uint type, ulong offset, ulong[] others, uint otherType, ulong otherOffset) => File(
        3, 2, 0, Info("t", dimensions, type, offset), Info("u", others, otherType, otherOffset), new byte[128]);

    public static byte[] Info(string name, ulong[] dimensions, uint type, ulong offset) =>
        [.. Text(name), .. Type((uint)dimensions.Length), .. dimensions.SelectMany(Number), .. Type(type), .. Number(offset)];

    public static byte[] Text(string text) => [.. Number((ulong)text.Length), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Type(uint number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        return bytes;
    }

    public static byte[] Number(ulong number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
        return bytes;
    }
}
