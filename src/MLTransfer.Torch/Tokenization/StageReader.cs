namespace MLTransfer.Torch.Tokenization;

/// <summary>Reads stages of one kind of a tokenizer.json by their names.</summary>
/// <param name="kind">The kind, as errors name it.</param>
/// <param name="readers">The stages by their <c>type</c>.</param>
internal sealed class StageReader<TStage>(string kind, Dictionary<string, Func<JsonField, TStage>> readers)
{
    /// <exception cref="NotSupportedException">The stage, or an option of it, is none of those known.</exception>
    public TStage Read(JsonField field) => Read(field, field.Required("type").Text());

    /// <summary>Reads a stage whose name is not in the file.</summary>
    public TStage Read(JsonField field, string type) => readers.TryGetValue(type, out Func<JsonField, TStage>? read)
        ? read(field)
        : throw new NotSupportedException(
            $"{field.Where} is the {kind} '{type}', which is not supported; expected one of {string.Join(", ", readers.Keys)}.");
}
