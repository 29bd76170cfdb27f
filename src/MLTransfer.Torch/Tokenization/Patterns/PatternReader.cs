using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>Reads a pattern of a tokenizer.json: a text as it is, or a regular expression.</summary>
internal static class PatternReader
{
    public static ITextPattern Read(JsonField field)
    {
        if (field.IsText)
            return new LiteralPattern(field.Text());
        field.Only("String", "Regex");
        if (field.Optional("String") is JsonField text)
            return new LiteralPattern(text.Text());
        return ReadExpression(field.Required("Regex"));
    }

    /// <summary>Reads a regular expression.</summary>
    public static RegularExpression ReadExpression(JsonField expression)
    {
        try
        {
            return new RegularExpression(expression.Text());
        }
        catch (FormatException exception)
        {
            throw new InvalidDataException($"{expression.Where}: {exception.Message}", exception);
        }
        catch (NotSupportedException exception)
        {
            throw new NotSupportedException($"{expression.Where}: {exception.Message}", exception);
        }
    }
}
