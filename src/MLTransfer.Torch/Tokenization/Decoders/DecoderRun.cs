namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>
/// A decoder at work on one sequence: tokens, or pieces of one token, go in one by one, and text comes out as soon as what follows
/// cannot change it.
/// </summary>
internal abstract class DecoderRun
{
    /// <summary>Takes the next token or piece and appends what it completes.</summary>
    public abstract void Push(string text, List<string> output);

    /// <summary>Ends the sequence, appends what was held back, and is ready for the next one.</summary>
    public abstract void Flush(List<string> output);
}
