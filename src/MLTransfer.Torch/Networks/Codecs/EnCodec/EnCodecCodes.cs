using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>Sounds as codes, as an <see cref="EnCodecModel"/> makes them and takes them back.</summary>
public sealed class EnCodecCodes : IDisposable
{
    /// <summary>Takes codes from elsewhere; the object owns copies of the tensors.</summary>
    /// <param name="codes">[chunks, B, Q, T], int64.</param>
    /// <param name="scales">[chunks, B, 1]; null where chunks are not normalized.</param>
    /// <param name="lastChunkPadding">Frames at the end of the last chunk that only fill it up.</param>
    /// <param name="length">Samples of the sounds, where what is decoded is cut to; null for all that is decoded.</param>
    /// <exception cref="ArgumentException">Shapes do not fit each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public EnCodecCodes(Tensor codes, Tensor? scales = null, int lastChunkPadding = 0, int? length = null)
    {
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentOutOfRangeException.ThrowIfNegative(lastChunkPadding);
        if (length is { } samples)
            ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1, nameof(length));
        if (codes.dim() != 4 || codes.shape.Any(extent => extent < 1) || codes.dtype != ScalarType.Int64)
        {
            throw new ArgumentException(
                $"Codes are {codes.dtype} of shape [{string.Join(", ", codes.shape)}]; expected {ScalarType.Int64} of shape "
                + "[chunks, batch, codebooks, frames].", nameof(codes));
        }

        if (scales is not null && !scales.shape.SequenceEqual([codes.shape[0], codes.shape[1], 1]))
        {
            throw new ArgumentException(
                $"Scales have shape [{string.Join(", ", scales.shape)}]; expected [{codes.shape[0]}, {codes.shape[1]}, 1].",
                nameof(scales));
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lastChunkPadding, codes.shape[3]);
        var (chunks, frames) = ((int)codes.shape[0], (int)codes.shape[3]);
        ChunkFrames = [.. Enumerable.Repeat(frames, chunks - 1), frames - lastChunkPadding];
        Codes = codes.detach().clone().DetachFromDisposeScope();
        Scales = scales?.detach().clone().DetachFromDisposeScope();
        Length = length;
    }

    private EnCodecCodes(Tensor codes, Tensor? scales, IReadOnlyList<int> chunkFrames, int length)
    {
        (Codes, Scales, ChunkFrames, Length) = (codes, scales, chunkFrames, length);
    }

    /// <summary>[chunks, B, Q, T], int64: shorter chunks are filled up with code 0. A codec without chunks makes one.</summary>
    public Tensor Codes { get; }

    /// <summary>What each chunk was divided by, [chunks, B, 1]; null where chunks are not normalized.</summary>
    public Tensor? Scales { get; }

    /// <summary>How many frames of each chunk do more than fill it up.</summary>
    public IReadOnlyList<int> ChunkFrames { get; }

    /// <summary>Frames at the end of the last chunk that only fill it up; transformers' <c>last_frame_pad_length</c>.</summary>
    public int LastChunkPadding => (int)Codes.shape[3] - ChunkFrames[^1];

    /// <summary>Samples of the sounds; null where it is not known.</summary>
    public int? Length { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Codes.Dispose();
        Scales?.Dispose();
    }

    /// <summary>Codes [B, Q, frames] of each chunk, and perhaps scales [B, 1].</summary>
    internal static EnCodecCodes OfChunks(IReadOnlyList<Tensor> codes, IReadOnlyList<Tensor> scales, int length)
    {
        using var scope = NewDisposeScope();
        var frames = codes.Select(chunk => (int)chunk.shape[2]).ToList();
        var filled = codes.Select(chunk => nn.functional.pad(chunk, (0, frames.Max() - chunk.shape[2])));
        return new(
            stack(filled).DetachFromDisposeScope(), scales.Count == 0 ? null : stack(scales).DetachFromDisposeScope(), frames, length);
    }
}
