using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>Archives such as torch.save writes them.</summary>
internal static class PyTorchZip
{
    /// <summary>Stored entries whose data is aligned, by an extra field, as torch aligns it.</summary>
    public static byte[] Stored(IEnumerable<(string Name, byte[] Data)> entries, int alignment = 64, int misalignment = 0)
    {
        using var zip = new MemoryStream();
        using var directory = new MemoryStream();
        int count = 0;
        foreach (var (name, data) in entries)
        {
            byte[] nameBytes = Encoding.UTF8.GetBytes(name);
            long header = zip.Position;
            int padding = (int)((alignment - (header + 30 + nameBytes.Length + 4) % alignment) % alignment) + misalignment;
            byte[] sizes = new byte[12];   // CRC (not checked), length in the file, length
            BinaryPrimitives.WriteInt32LittleEndian(sizes.AsSpan(4), data.Length);
            BinaryPrimitives.WriteInt32LittleEndian(sizes.AsSpan(8), data.Length);

            zip.Write(
                [0x50, 0x4b, 3, 4, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, .. sizes, .. Two(nameBytes.Length), .. Two(4 + padding), .. nameBytes]);
            zip.Write([0x46, 0x42, .. Two(padding), .. new byte[padding], .. data]);
            directory.Write([0x50, 0x4b, 1, 2, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, .. sizes, .. Two(nameBytes.Length)]);
            directory.Write([.. new byte[12], .. Four(header), .. nameBytes]);
            count++;
        }
        long start = zip.Position;
        zip.Write(directory.ToArray());
        zip.Write([0x50, 0x4b, 5, 6, 0, 0, 0, 0, .. Two(count), .. Two(count), .. Four(directory.Length), .. Four(start), 0, 0]);
        return zip.ToArray();
    }

    public static byte[] Deflated(IEnumerable<(string Name, byte[] Data)> entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, data) in entries)
            {
                using Stream entry = zip.CreateEntry(name, CompressionLevel.SmallestSize).Open();
                entry.Write(data);
            }
        }
        return stream.ToArray();
    }

    private static byte[] Two(int value) => [(byte)value, (byte)(value >> 8)];

    private static byte[] Four(long value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];
}
