namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>The one value whose attributes a template may set.</summary>
internal sealed class NamespaceValue(DictionaryValue attributes)
{
    public DictionaryValue Attributes => attributes;
}
