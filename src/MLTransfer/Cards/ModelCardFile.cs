using System.Text;

namespace MLTransfer.Cards;

/// <summary>
/// Writes <c>README.md</c> of a model's folder: a model card as the Hugging Face hub has them
/// (https://huggingface.co/docs/hub/model-cards), metadata in YAML and a text.
/// </summary>
internal static class ModelCardFile
{
    public const string FileName = "README.md";

    /// <param name="folder">An existing folder.</param>
    /// <param name="target">The folder's name to be, which is the model's.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="card">What is known of it; null of a model from a file of a version that kept no card.</param>
    public static void Write(string folder, string target, CardKind kind, ModelCard? card) => File.WriteAllText(
        Path.Combine(folder, FileName), Create(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(target))), kind, card));

    internal static string Create(string title, CardKind kind, ModelCard? card)
    {
        var isTrained = card?.Data.Count > 0;
        var origin = card?.Base;
        var text = new StringBuilder(FrontMatter.Write(
        [
            ("base_model", One(origin?.Name), false),
            ("base_model_relation", One(origin is not null && isTrained ? "finetune" : null), false),
            ("language", origin?.Languages ?? [], true),
            ("library_name", [kind.Library], false),
            ("license", [origin?.License ?? "unknown"], false),
            ("license_name", One(origin?.LicenseName), false),
            ("license_link", One(origin?.LicenseLink), false),
            ("pipeline_tag", One(kind.Pipeline), false),
            ("tags", [.. new[] { "mltransfer", "ml.net", "torchsharp", kind.Architecture }.OfType<string>()], true),
        ]));
        text.Append(
            $"\n# {Inline(title)}\n\nA {kind.What}, {(isTrained ? "trained" : "saved")} with MLTransfer (ML.NET over TorchSharp).\n");
        text.Append($"\n## Base and licence\n\n{Terms(card, isTrained)}\n");
        AddTable(text, "Training data", "", card?.Data);
        AddTable(text, "Results", "At the end of training, of the weights that this model has where nothing else is said.", card?.Metrics);
        AddTable(text, "Options", "Those of the training that differ from their defaults.", card?.Options);
        AddTable(text, "Made with", "", card?.Versions);
        return text.ToString();
    }

    private static string Terms(ModelCard? card, bool isTrained)
    {
        if (card is null)
            return "The model comes from a file of an earlier version, which does not tell what it was made from. Find out before you "
                + "pass it on.";
        if (card.Base is not { } origin)
            return "All weights were trained from random ones: no licence but that of the training data binds them.";
        var made = $"{(isTrained ? "Fine-tuned from" : "The weights are those of")} `{Inline(origin.Name)}`";
        return origin.License switch
        {
            null => $"{made}, whose licence is not known: neither a `README.md` nor a `LICENSE` beside it tells. Find out before you pass "
                + "the model on.",
            "other" => $"{made}, which has a licence of its own"
                + (origin.LicenseName is { } name ? $" ({Inline(name)})" : "")
                + (origin.LicenseLink is { } link ? $": {Inline(link)}." : "."),
            var license => $"{made}, whose licence is `{Inline(license)}`.",
        };
    }

    private static void AddTable(StringBuilder text, string title, string remark, IReadOnlyList<CardEntry>? entries)
    {
        if (entries is not { Count: > 0 })
            return;
        text.Append($"\n## {title}\n\n{(remark.Length > 0 ? remark + "\n\n" : "")}| | |\n| --- | --- |\n");
        foreach (var (name, value) in entries)
            text.Append($"| {Inline(name)} | {Inline(value)} |\n");
    }

    /// <summary>On one line, and without a meaning in tables or HTML.</summary>
    private static string Inline(string value) => string.Concat(value.Select(c => char.IsControl(c) ? " " : c switch
    {
        '|' => "\\|",
        '<' => "&lt;",
        '&' => "&amp;",
        '`' => "'",
        _ => $"{c}",
    }));

    private static IReadOnlyList<string> One(string? value) => value is null ? [] : [value];
}
