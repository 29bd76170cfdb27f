using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>
/// Brings text to a Unicode normalization form (Unicode Standard Annex 15), by tables of its own: .NET has none where globalization is
/// invariant, and knows characters that the reference does not.
/// </summary>
internal sealed class UnicodeNormalizer(NormalizationForm form) : INormalizer
{
    /// <summary>Below it no character has parts.</summary>
    public const char FirstWithParts = '\u00A0';

    /// <summary>The code points whose parts and classes the reference knows.</summary>
    public static CodePointSet Known { get; } = UnicodeProperties.OfVersion(9);

    /// <summary>The canonical combining class of a code point, as far as the reference knows it.</summary>
    public static byte CombiningClass(int codePoint) =>
        UnicodeProperties.CombiningClass(codePoint) is not 0 and var known && Known.Contains(codePoint) ? known : (byte)0;

    public void Normalize(AlignedText text)
    {
        // Characters below U+0300 are composed, and there is nothing to compose.
        char first = form == NormalizationForm.FormC ? '\u0300' : FirstWithParts;
        if (!text.Units.ContainsAnyInRange(first, char.MaxValue))
            return;
        bool isCompatible = form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        List<RuneChange> changes = UnicodeDecomposition.Decompose(text.Units, isCompatible);
        if (form is NormalizationForm.FormC or NormalizationForm.FormKC)
            changes = UnicodeComposition.Compose(changes);
        text.Transform(CollectionsMarshal.AsSpan(changes));
    }
}
