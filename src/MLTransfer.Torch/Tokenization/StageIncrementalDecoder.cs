using MLTransfer.Torch.Tokenization.Decoders;

namespace MLTransfer.Torch.Tokenization;

/// <summary>Sends tokens one by one through the decoder's stages.</summary>
/// <param name="run">The stages at work.</param>
/// <param name="tokenOf">The token of an id, or null for one that stands for no text.</param>
internal sealed class StageIncrementalDecoder(DecoderRun run, Func<int, string?> tokenOf) : IncrementalDecoder
{
    private readonly List<string> _texts = [];

    public override string Append(int id)
    {
        if (tokenOf(id) is string token)
            run.Push(token, _texts);
        return Take();
    }

    public override string Flush()
    {
        run.Flush(_texts);
        return Take();
    }

    private string Take()
    {
        string text = string.Concat(_texts);
        _texts.Clear();
        return text;
    }
}
