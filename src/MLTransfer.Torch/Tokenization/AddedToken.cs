namespace MLTransfer.Torch.Tokenization;

/// <summary>A token that is found in the text as it stands, before the text is split into words.</summary>
/// <param name="Content">The text of the token.</param>
/// <param name="SingleWord">Found only where no word character touches it.</param>
/// <param name="LeftStrip">Takes the white space before it along.</param>
/// <param name="RightStrip">Takes the white space after it along.</param>
/// <param name="Normalized">Looked for in the normalized text, after those that are not.</param>
/// <param name="Special">Left out by decoding that skips special tokens.</param>
internal sealed record AddedToken(
    string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized, bool Special)
{
    /// <summary>A special token of which only the text is known.</summary>
    public static AddedToken SpecialOf(string content) => new(content, false, false, false, Normalized: false, Special: true);
}
