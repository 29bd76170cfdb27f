using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Memory;
using Microsoft.Win32.SafeHandles;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Identifies a model's weights by their content, so that an adapter can tell whether it meets the model that it was trained for.
/// </summary>
public static class ModelFingerprint
{
    private const int BufferSize = 1 << 20;

    private static readonly ConcurrentDictionary<string, string> Known = new(StringComparer.Ordinal);

    /// <summary>
    /// SHA-256 over the weight files of a folder in Hugging Face layout, one after the other in name order. For a single file it is what
    /// <c>sha256sum model.safetensors</c> prints. The same weights stored in another form or type have another fingerprint. A result is
    /// remembered for the life of the process while path, size and time of the files stay the same.
    /// </summary>
    /// <param name="folder">Folder with <c>model.safetensors</c> or <c>pytorch_model.bin</c>, or with either's index and shards; or a
    /// GGUF file.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>64 hexadecimal digits in lower case.</returns>
    /// <exception cref="FileNotFoundException">The folder has no complete weights.</exception>
    /// <exception cref="InvalidDataException">The index of sharded weights is malformed.</exception>
    public static string Compute(string folder, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        IReadOnlyList<string> paths = (GgufFile.Is(folder) ? [folder] : WeightFiles.FindComplete(folder))
            ?? throw new FileNotFoundException(
                $"The folder '{Path.GetFullPath(folder)}' has no complete weights. Expected one of {string.Join(", ", WeightFiles.Forms)}, "
                + "and beside an index all files that it lists.");
        string key = KeyOf(paths);
        if (Known.TryGetValue(key, out string? known))
            return known;

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[BufferSize];
        foreach (string path in paths)
        {
            using FileStream stream = FileOnDisk.OpenRead(path);
            for (int count; (count = stream.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, count);
            }
        }

        string result = Convert.ToHexStringLower(hash.GetHashAndReset());
        // A file that was written meanwhile may have been read half old, half new.
        if (KeyOf(paths) == key)
            Known[key] = result;
        return result;
    }

    // Size and time through a handle, which follows the links of the hub's cache.
    private static string KeyOf(IEnumerable<string> paths)
    {
        StringBuilder key = new();
        foreach (string path in paths)
        {
            using FileStream stream = FileOnDisk.OpenRead(path);
            SafeFileHandle handle = stream.SafeFileHandle;
            key.Append(
                CultureInfo.InvariantCulture,
                $"{Path.GetFullPath(path)}\0{RandomAccess.GetLength(handle)}\0{File.GetLastWriteTimeUtc(handle).Ticks}\0");
        }

        return key.ToString();
    }
}
