namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Changes the logits of one sequence's next token. It may keep scratch memory, so that it is for one thread.</summary>
internal abstract class LogitsProcessor
{
    /// <summary>Changes logits in place; a forbidden token gets minus infinity.</summary>
    /// <param name="logits">[vocabulary]: logits, or log-probabilities in beam search.</param>
    /// <param name="tokens">The sequence so far, prompt included.</param>
    /// <param name="promptLength">How many of <paramref name="tokens"/> are the prompt.</param>
    public abstract void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength);

    /// <summary>Leaves some tokens alone, all equally likely.</summary>
    protected static void Force(Span<float> logits, ReadOnlySpan<int> ids)
    {
        logits.Fill(float.NegativeInfinity);
        foreach (var id in ids)
            logits[id] = 0;
    }
}
