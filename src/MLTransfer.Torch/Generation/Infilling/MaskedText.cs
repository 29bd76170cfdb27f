using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>A text as tokens, some of which are hidden and to be predicted.</summary>
internal sealed class MaskedText
{
    private readonly int _leading;  // the special tokens before the text
    private readonly int _trailing; // and those after it
    private readonly Dictionary<int, int[]> _windows = [];

    private MaskedText(string source, TextEncoding encoding, int context)
    {
        (Source, Ids, Offsets, Context) = (source, [.. encoding.Ids], encoding.Offsets, context);
        _leading = encoding.SpecialTokensMask.TakeWhile(isAround => isAround == 1).Count();
        _trailing = encoding.SpecialTokensMask.Skip(_leading).Reverse().TakeWhile(isAround => isAround == 1).Count();
    }

    /// <summary>The text that <see cref="Offsets"/> count in.</summary>
    public string Source { get; }

    /// <summary>The tokens, those around the text included.</summary>
    public int[] Ids { get; }

    /// <summary>The UTF-16 units of <see cref="Source"/> that each token stands for.</summary>
    public IReadOnlyList<(int Start, int End)> Offsets { get; }

    /// <summary>The hidden positions from left to right.</summary>
    public IReadOnlyList<int> Masks { get; private set; } = [];

    /// <summary>The most tokens that the model reads.</summary>
    private int Context { get; }

    /// <summary>Encodes a text; its masks are the tokenizer's mask tokens in it.</summary>
    /// <exception cref="ArgumentException">The model's context has no room for a text.</exception>
    public static MaskedText Encode(string text, TextTokenizer tokenizer, int maskId, int context)
    {
        var encoding = tokenizer.EncodeText(text, options: new EncodingOptions { Pads = false, SplitSpecialTokens = false });
        var encoded = new MaskedText(text, encoding, context);
        if (context - encoded._leading - encoded._trailing < 1)
        {
            throw new ArgumentException(
                $"The model reads {context} tokens, and the tokenizer puts {encoded._leading + encoded._trailing} around every text: there "
                + "is no room for a text.");
        }

        encoded.Masks = [.. Enumerable.Range(0, encoded.Ids.Length).Where(position => encoded.Ids[position] == maskId)];
        return encoded;
    }

    /// <summary>Hides positions.</summary>
    /// <param name="positions">From left to right.</param>
    /// <param name="maskId">What stands there then.</param>
    public void Hide(IEnumerable<int> positions, int maskId)
    {
        Masks = [.. positions];
        foreach (var position in Masks)
            Ids[position] = maskId;
        _windows.Clear();
    }

    /// <summary>Puts a token in the place of a mask.</summary>
    public void Fill(int position, int token)
    {
        Ids[position] = token;
        _windows.Clear();
    }

    /// <summary>What the model reads to predict a position, and where the position is in it.</summary>
    /// <remarks>
    /// A text that fits is read as a whole. Of a longer one a window of the model's context is read, with the special tokens around it; a
    /// quarter of it or more lies on each side of the position, as far as the text goes. Windows begin at multiples of half a window, so
    /// that masks share them; positions that share one get the same array.
    /// </remarks>
    public (int[] Row, int Position) RowOf(int position)
    {
        if (Ids.Length <= Context)
            return (Ids, position);
        var room = Context - _leading - _trailing;
        var step = Math.Max(1, room / 2);
        var wanted = Math.Max(0, position - _leading - room / 4) / step * step;
        var start = _leading + Math.Clamp(wanted, 0, Ids.Length - _leading - _trailing - room);
        if (!_windows.TryGetValue(start, out var row))
            _windows[start] = row = [.. Ids.AsSpan(0, _leading), .. Ids.AsSpan(start, room), .. Ids.AsSpan(Ids.Length - _trailing)];
        return (row, position - start + _leading);
    }
}
