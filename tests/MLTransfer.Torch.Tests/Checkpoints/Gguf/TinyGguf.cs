using MLTransfer.Torch.Checkpoints.Gguf;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints.Gguf;

/// <summary>A small file with every kind of value and tensors of several formats.</summary>
internal static class TinyGguf
{
    public static IReadOnlyList<KeyValuePair<string, object>> Values { get; } =
    [
        new("general.architecture", "none"), new("b", (byte)1), new("sb", (sbyte)-1), new("us", (ushort)2), new("s", (short)-2),
        new("ui", 3u), new("i", -3), new("f", 0.5f), new("flag", true), new("ul", 4ul), new("l", -4L), new("d", 0.25),
        new("texts", (string[])["a", "", "\u00e9\u4e2d"]), new("bytes", (byte[])[1, 2]), new("numbers", (float[])[1, 2]),
        new("flags", (bool[])[true, false]), new("none", (int[])[]), new("lists", (object[])[(int[])[1], (string[])["x"]]),
    ];

    /// <summary>Writes the file; it ends with the last tensor's last byte.</summary>
    public static byte[] Write(string path)
    {
        var metadata = new GgufMetadata("test");
        foreach (var (key, value) in Values)
            metadata.Add(key, value);
        GgufWriter.Write(path, metadata, [
            new("a", GgufTensorType.F32, [2, 4], () => ones(2, 4)), new("b", GgufTensorType.F16, [16], () => ones(16)),
            new("c", GgufTensorType.BF16, [1, 2, 8], () => ones(1, 2, 8)),
                new("d", GgufTensorType.F32, [1, 2, 2, 2], () => ones(1, 2, 2, 2))]);
        return File.ReadAllBytes(path);
    }
}
