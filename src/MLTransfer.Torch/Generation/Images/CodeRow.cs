using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Generation.Images;

/// <summary>A prompt while the codes of its picture are drawn.</summary>
internal sealed class CodeRow
{
    private readonly int[] _known;
    private readonly bool[] _kept;
    private readonly int[] _drawn;
    private readonly int _lastJudged; // the last kept code behind a drawn one
    private SplitMix64 _random;
    private double _logLikelihood, _drawnLogLikelihood; // of kept codes behind drawn ones
    private int[]? _codes;

    /// <param name="index">The prompt's number.</param>
    /// <param name="text">What the network reads.</param>
    /// <param name="hasCaption">Whether that says anything.</param>
    /// <param name="known">The codes of the prompt's picture; null for none.</param>
    /// <param name="kept">Which of them are kept.</param>
    /// <param name="seed">What the random stream is made from, beside the caption and the kept codes.</param>
    public CodeRow(int index, int[] text, bool hasCaption, int[]? known, bool[] kept, ulong seed)
    {
        (Index, Text, HasCaption, _kept, _drawn) = (index, text, hasCaption, kept, new int[kept.Length]);
        _known = known ?? new int[kept.Length];
        var first = Array.IndexOf(kept, false);
        _lastJudged = first < 0 || Array.LastIndexOf(kept, true) is var last && last < first ? -1 : last;
        ulong[] parts =
        [
            seed, .. text.Select(id => (ulong)id), ulong.MaxValue,
            .. kept.Select((isKept, place) => isKept ? (ulong)_known[place] : ulong.MaxValue),
        ];
        _random = new SplitMix64(SplitMix64.Mix(parts));
    }

    public int Index { get; }

    public int[] Text { get; }

    public bool HasCaption { get; }

    /// <summary>Whether there are kept codes that those before them were drawn without a look at.</summary>
    public bool HasSweeps => _lastJudged >= 0;

    /// <summary>The picture's codes, row by row; there once a pass has ended.</summary>
    public int[] Codes => _codes!;

    /// <summary>Chooses or takes a code.</summary>
    /// <param name="place">Its number; those before were taken in the same pass.</param>
    /// <param name="logits">[codes]; they are changed.</param>
    /// <param name="choice">Chooses.</param>
    public int Next(int place, Span<float> logits, CodeChoice choice)
    {
        if (place == 0)
            _drawnLogLikelihood = 0;
        if (!_kept[place])
            return _drawn[place] = choice.Choose(logits, ref _random);
        if (place <= _lastJudged)
            _drawnLogLikelihood += choice.LogProbability(logits, _known[place]);
        return _drawn[place] = _known[place];
    }

    /// <summary>Ends a pass over all places: takes what was drawn, or stays with what was drawn before.</summary>
    public void EndPass()
    {
        if (_codes is null || Math.Log(1 - _random.NextDouble()) <= _drawnLogLikelihood - _logLikelihood)
            (_codes, _logLikelihood) = ([.. _drawn], _drawnLogLikelihood);
    }
}
