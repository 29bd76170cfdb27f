namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>A stage that turns one piece of text into tokens.</summary>
internal interface ITokenModel
{
    /// <summary>The model's own tokens and their ids.</summary>
    TokenVocabulary Vocabulary { get; }

    /// <summary>Appends the tokens of a word that is not empty, with their UTF-16 units in it.</summary>
    void Tokenize(ReadOnlySpan<char> word, TokenBuffer tokens);

    /// <summary>The token that is shown as the text it stands for, if there is one.</summary>
    int? UnknownIdShownAsText => null;
}
