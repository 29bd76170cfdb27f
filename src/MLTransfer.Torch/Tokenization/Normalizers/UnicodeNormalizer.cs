using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Brings text to a Unicode normalization form (Unicode Standard Annex 15).</summary>
internal sealed class UnicodeNormalizer : INormalizer
{
    /// <summary>The code points that the reference can take apart; U+FFFE, which .NET refuses, is none of them.</summary>
    public static CodePointSet Known { get; } = UnicodeProperties.OfVersion(11).Except(CodePointSet.Of(Noncharacter));

    private const char Noncharacter = '\uFFFE';

    private readonly NormalizationForm _form;

    public UnicodeNormalizer(NormalizationForm form)
    {
        if ("e\u0301".Normalize(NormalizationForm.FormC) != "\u00E9")
        {
            string name = form.ToString().Replace("Form", "NF", StringComparison.Ordinal);
            throw new NotSupportedException(
                $"{TokenizerFiles.Tokenizer}: the normalizer '{name}' needs .NET's globalization data, which this program runs without. " +
                "Set InvariantGlobalization to false and install ICU (libicu on Linux).");
        }

        _form = form;
    }

    public void Normalize(AlignedText text)
    {
        // .NET refuses text with the noncharacter U+FFFE.
        if (!text.Units.Contains(Noncharacter) && text.Units.IsNormalized(_form))
            return;
        bool isCompatible = _form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        List<RuneChange> changes = UnicodeDecomposition.Decompose(text.Units, isCompatible);
        if (_form is NormalizationForm.FormC or NormalizationForm.FormKC)
            changes = UnicodeComposition.Compose(changes);
        text.Transform(CollectionsMarshal.AsSpan(changes));
    }
}
