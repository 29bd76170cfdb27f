using System.Numerics;

namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>Whether Python takes a value as true.</summary>
internal static class Truth
{
    public static bool Of(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        BigInteger number => !number.IsZero,
        double number => number != 0,
        string text => text.Length > 0,
        SafeText safe => safe.Text.Length > 0,
        SequenceValue sequence => sequence.Items.Count > 0,
        DictionaryValue dictionary => dictionary.Count > 0,
        _ => true,
    };
}
