using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>A stage that cuts a normalized text into the pieces that the model sees one by one.</summary>
internal interface IPreTokenizer
{
    void PreTokenize(TextPieces pieces);
}
