namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>A text whose masks are filled.</summary>
/// <param name="Text">The text, by <see cref="InfillingOptions.TextForm"/>. A text without masks is as it was.</param>
/// <param name="TokenIds">The tokens, those that the tokenizer puts around a text included.</param>
/// <param name="Masks">The masks from left to right.</param>
/// <param name="Order">The positions of the masks in the order in which they were filled.</param>
public sealed record InfilledText(
    string Text, IReadOnlyList<int> TokenIds, IReadOnlyList<FilledMask> Masks, IReadOnlyList<int> Order);
