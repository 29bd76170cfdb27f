using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>The entries of a <c>config.json</c> that tell how logits are made.</summary>
internal static class HeadEntries
{
    /// <summary>
    /// Whether logits are made with the token embedding. A file that does not tell may lie beside a checkpoint of the bare network, which
    /// has no head: those that are published are tied.
    /// </summary>
    /// <param name="c">The configuration.</param>
    /// <param name="head">The head's own weight.</param>
    /// <param name="otherwise">What holds where the file does not tell and the checkpoint has the head.</param>
    public static bool IsTied(this ConfigurationReader c, string head, bool otherwise = true) =>
        c.Flag("tie_word_embeddings", otherwise || !c.Stores(head));
}
