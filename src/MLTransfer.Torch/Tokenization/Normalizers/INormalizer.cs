using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>A stage that changes a text before it is cut into pieces.</summary>
internal interface INormalizer
{
    void Normalize(AlignedText text);
}
