using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace MLTransfer.Tests.Persistence;

/// <summary>
/// Changes what a model file says about its components, so that lengths and checksums hold, as somebody who means harm would.
/// </summary>
internal static class ManifestEditor
{
    private const int HeaderLength = 256; // ML.NET's; the manifest's length, its JSON and its CRC-32 follow

    /// <summary>Copies a model file with another description of its component.</summary>
    /// <param name="source">A file with one component of this library.</param>
    /// <param name="target">The new file.</param>
    /// <param name="change">Gives the new JSON.</param>
    public static void Copy(string source, string target, Func<byte[], byte[]> change)
    {
        File.Copy(source, target, overwrite: true);
        using var zip = ZipFile.Open(target, ZipArchiveMode.Update);
        foreach (var entry in zip.Entries.Where(entry => entry.Name == "Model.key").ToList())
        {
            using var stream = entry.Open();
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            if (content.AsSpan(HeaderLength + sizeof(int)).IndexOf("\"Files\""u8) < 0)
                continue;
            var changed = Change(content, change);
            stream.SetLength(0);
            stream.Write(changed);
        }
    }

    public static void Copy(string source, string target, Func<string, string> change) =>
        Copy(source, target, json => Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(json))));

    private static byte[] Change(byte[] content, Func<byte[], byte[]> change)
    {
        var length = BitConverter.ToInt32(content, HeaderLength);
        var start = HeaderLength + sizeof(int);
        var json = change(content[start..(start + length)]);
        var header = content[..HeaderLength];

        // The header tells where what follows begins and ends.
        for (var at = 16; at < HeaderLength; at += sizeof(long))
        {
            var place = BitConverter.ToInt64(header, at);
            if (place >= length && place <= content.Length)
                BitConverter.TryWriteBytes(header.AsSpan(at), place + json.Length - length);
        }

        return
        [
            .. header, .. BitConverter.GetBytes(json.Length), .. json, .. BitConverter.GetBytes(Crc32.HashToUInt32(json)),
            .. content[(start + length + sizeof(uint))..],
        ];
    }
}
