using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

internal delegate object? Filter(Evaluator evaluator, object? value, Arguments arguments);

/// <summary>What stands behind <c>|</c>.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, Filter> s_filters =
        new([.. TextFilters.All, .. NumberFilters.All, .. SequenceFilters.All, .. SelectionFilters.All]);

    public static bool Has(string name) => s_filters.ContainsKey(name);

    public static Filter Get(string name) =>
        s_filters.GetValueOrDefault(name) ?? throw new ChatTemplateException($"there is no filter '{name}'");
}
