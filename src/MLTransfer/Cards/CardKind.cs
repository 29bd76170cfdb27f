namespace MLTransfer.Cards;

/// <summary>What cards of one kind of model have in common.</summary>
/// <param name="What">What the model is, such as "text generator".</param>
/// <param name="Library">What loads the folder (<c>library_name</c>).</param>
/// <param name="Pipeline">What it does (<c>pipeline_tag</c>); null where the hub has no word for it.</param>
/// <param name="Architecture">Such as <c>gpt2</c>; null where it has no name.</param>
internal sealed record CardKind(string What, string Library, string? Pipeline, string? Architecture);
