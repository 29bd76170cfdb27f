using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>A prompt while its music is generated: the codes of each codebook so far, and the random stream that they are drawn
/// from.</summary>
internal sealed class MusicRow
{
    private readonly TokenSequence[] _codebooks;
    private SplitMix64 _random;

    /// <param name="index">The prompt's number.</param>
    /// <param name="captionIds">What the text encoder reads; null for the null condition.</param>
    /// <param name="prompt">[codebooks][frames], which may be none.</param>
    /// <param name="seed">What the random stream is made from, beside the caption and the prompt.</param>
    public MusicRow(int index, int[]? captionIds, int[][] prompt, ulong seed)
    {
        (Index, CaptionIds, PromptFrames) = (index, captionIds, prompt[0].Length);
        _codebooks = [.. prompt.Select(codes => new TokenSequence(codes))];
        ulong[] parts =
            [seed, .. (captionIds ?? []).Select(id => (ulong)id), ulong.MaxValue, .. prompt.SelectMany(c => c).Select(c => (ulong)c)];
        _random = new SplitMix64(SplitMix64.Mix(parts));
    }

    public int Index { get; }

    public int[]? CaptionIds { get; }

    public int PromptFrames { get; }

    /// <summary>The frames whose codes all codebooks have, where no window is under way.</summary>
    public int Frames => _codebooks[0].Tokens.Length;

    /// <summary>[codebooks][frames].</summary>
    public int[][] Codes => [.. _codebooks.Select(codes => codes.Tokens.ToArray())];

    /// <summary>The last frames, with the start column before them: [codebooks][1 + frames].</summary>
    public int[][] Last(int frames, int startId) => [.. _codebooks.Select(codes => (int[])[startId, .. codes.Tokens[^frames..]])];

    /// <summary>Chooses a codebook's next code.</summary>
    public int Choose(int codebook, Span<float> logits, LogitsChoice choice)
    {
        var (code, logProbability) = choice.Next(logits, _codebooks[codebook], ref _random);
        _codebooks[codebook].Append(code, logProbability);
        return code;
    }
}
