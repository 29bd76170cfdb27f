using System.Security.Cryptography;
using System.Text;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>
/// Codes of sounds or pictures, kept in a folder: a file for each, whose name is made of its content and of the codec. Several threads,
/// and processes, may use a folder at once; a file in it that is damaged is made again.
/// </summary>
internal sealed class CodeCache
{
    private const string TensorName = "codes";

    private readonly string? _folder;
    private readonly Lazy<string> _codec;
    private readonly Predicate<int[][]> _isUsable;
    private int _encoded;

    /// <param name="folder">Where codes are kept; null for nowhere.</param>
    /// <param name="codec">Tells codecs apart; asked for once.</param>
    /// <param name="isUsable">Whether codes of a file may be the codec's; it may throw an <see cref="ArgumentException"/> if not.</param>
    public CodeCache(string? folder, Func<string> codec, Predicate<int[][]> isUsable)
    {
        if (folder is not null)
            ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        (_folder, _codec, _isUsable) = (folder, new(codec), isUsable);
    }

    /// <summary>How many contents this object has encoded, those left out that were in the folder.</summary>
    public int EncodedCount => _encoded;

    /// <summary>The codes of a content: [codebooks][places].</summary>
    /// <param name="kind">What it is, as far as its bytes do not say.</param>
    /// <param name="addContent">Adds its bytes.</param>
    /// <param name="encode">Makes its codes.</param>
    /// <exception cref="IOException">The codes cannot be kept, for example because the disk is full.</exception>
    public int[][] Find(string kind, Action<IncrementalHash> addContent, Func<int[][]> encode)
    {
        if (_folder is null)
            return Encode(encode);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{_codec.Value} {kind}\n"));
        addContent(hash);
        var path = Path.Combine(_folder, Convert.ToHexStringLower(hash.GetHashAndReset()) + ".safetensors");
        if (TryRead(path) is { } known)
            return known;
        var codes = Encode(encode);
        Directory.CreateDirectory(_folder);
        using var flat = tensor(codes.SelectMany(row => row).ToArray());
        using var stored = flat.view(codes.Length, -1);
        SafetensorsWriter.Write(path, [KeyValuePair.Create(TensorName, stored)]);
        return codes;
    }

    private int[][] Encode(Func<int[][]> encode)
    {
        Interlocked.Increment(ref _encoded);
        return encode();
    }

    /// <summary>What a file has; null where there is none, or it is damaged.</summary>
    private int[][]? TryRead(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            using var scope = NewDisposeScope();
            using var file = SafetensorsFile.Open(path);
            if (!file.Tensors.TryGetValue(TensorName, out var info) || info.DataType != ScalarType.Int32 || info.Shape is not [> 0, > 0])
                return null;
            var codes = file.Read(TensorName);
            int[][] rows = [.. Enumerable.Range(0, (int)info.Shape[0]).Select(row => NativeTensor.AsSpan<int>(codes[row]).ToArray())];
            return _isUsable(rows) ? rows : null;
        }
        catch (Exception exception) when (exception is InvalidDataException or ArgumentException or FileNotFoundException)
        {
            return null;
        }
    }
}
