using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>The hashes by which the hub names file contents: SHA-256 for large files (git LFS), git's blob SHA-1 for the others.</summary>
internal static class ContentHash
{
    private const int BufferSize = 1 << 20;

    /// <summary>Hashes the whole stream with the kind of hash that <paramref name="expected"/> is, told by its length.</summary>
    public static async Task<string> ComputeLikeAsync(string expected, Stream stream, CancellationToken cancellationToken)
    {
        stream.Position = 0;
        bool isSha256 = expected.Length == 2 * SHA256.HashSizeInBytes;
        using IncrementalHash hash = IncrementalHash.CreateHash(isSha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        if (!isSha256)
            hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {stream.Length}\0")));
        byte[] buffer = new byte[BufferSize];
        for (int count; (count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
            hash.AppendData(buffer, 0, count);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
