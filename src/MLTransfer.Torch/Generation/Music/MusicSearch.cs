using MLTransfer.Torch.Networks.MusicGen;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>Generates the codes of rows that are read together: window after window, column after column.</summary>
/// <param name="decoder">A network that is held.</param>
/// <param name="options">Checked options.</param>
/// <param name="advanced">Told of every column that is generated.</param>
/// <param name="cancellationToken">Ends the work between two columns.</param>
internal sealed class MusicSearch(
    IMusicDecoder decoder, MusicGenerationOptions options, Action advanced, CancellationToken cancellationToken)
{
    private readonly LogitsChoice _choice = new(options, decoder.CodebookSize);

    // What stands before and behind a codebook's codes is the start token here; in training it is the padding.
    private readonly DelayPattern _pattern = new(decoder.Codebooks, decoder.Channels, decoder.StartId);

    /// <summary>The most frames that a window has.</summary>
    private int Window { get; } = WindowOf(decoder, options);

    /// <summary>The columns that are generated for rows whose prompts have so many frames.</summary>
    public long Columns(int promptFrames)
    {
        long columns = 0;
        foreach (var (_, added) in Windows(promptFrames))
            columns += added + _pattern.Depth - 1;
        return columns;
    }

    /// <summary>Generates as many frames as the options say.</summary>
    /// <param name="rows">With prompts of one length.</param>
    public void Run(IReadOnlyList<MusicRow> rows)
    {
        using var batch = decoder.CreateBatch([.. rows.Select(row => row.CaptionIds)], options.GuidanceScale);
        foreach (var (kept, added) in Windows(rows[0].PromptFrames))
            GenerateWindow(rows, batch, kept, added);
    }

    /// <summary>The frames that the decoder sees, apart from its columns' delays.</summary>
    private static int WindowOf(IMusicDecoder decoder, MusicGenerationOptions options)
    {
        var depth = decoder.Codebooks / decoder.Channels; // as many delays
        var most = decoder.ContextLength - (depth - 1); // the last column is not read
        if (most < 2)
        {
            throw new NotSupportedException(
                $"The decoder's context of {decoder.ContextLength} positions has no room for {depth} delays.");
        }

        return (int)Math.Clamp(Math.Round(options.WindowSeconds * decoder.FrameRate), 2, most);
    }

    /// <summary>For each window the frames that it begins with and those that it adds.</summary>
    private IEnumerable<(int Kept, int Added)> Windows(int promptFrames)
    {
        var keeps = (int)Math.Clamp(Math.Round(options.KeptSeconds * decoder.FrameRate), 0, Window - 1);
        var kept = promptFrames < Window ? promptFrames : keeps;
        for (var left = options.FramesAt(decoder.FrameRate); left > 0; kept = keeps)
        {
            var added = Math.Min(left, Window - kept);
            yield return (kept, added);
            left -= added;
        }
    }

    private void GenerateWindow(IReadOnlyList<MusicRow> rows, IMusicBatch batch, int kept, int added)
    {
        var (pattern, start) = (_pattern, kept + 1);
        var length = kept + added + pattern.Depth;
        var forced = rows.Select(row => pattern.Columns(row.Last(kept, decoder.StartId), length)).ToList();
        batch.Begin([.. forced.Select(columns => columns.Select(codebook => codebook[..start]).ToArray())], length - 1);
        var column = new int[rows.Count * pattern.Codebooks];
        for (var place = start; place < length; place++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var row = 0; row < rows.Count; row++)
            {
                for (var codebook = 0; codebook < pattern.Codebooks; codebook++)
                {
                    var id = forced[row][codebook][place];
                    column[row * pattern.Codebooks + codebook] =
                        id != DelayPattern.Generated ? id : rows[row].Choose(codebook, batch.Logits(row, codebook), _choice);
                }
            }

            advanced();
            if (place < length - 1)
                batch.Read(column);
        }
    }
}
