using System.Collections.Frozen;

namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>What the classes of transformers assume where no file says otherwise.</summary>
internal static class ClassDefaults
{
    private static readonly FrozenSet<string> s_bertFamilies = FrozenSet.Create(
        "Bert", "DistilBert", "Electra", "MobileBert", "MPNet", "Lxmert", "Funnel", "ConvBert", "RetriBert", "Realm", "Splinter",
        "LayoutLM", "SqueezeBert", "DPRContextEncoder", "DPRQuestionEncoder", "DPRReader");

    private static readonly FrozenSet<string> s_robertaFamilies =
        FrozenSet.Create("Roberta", "Bart", "Longformer", "LED", "Mvp", "Blenderbot");

    private static readonly FrozenSet<string> s_llamaFamilies = FrozenSet.Create("Llama", "Gemma", "CodeLlama", "Cohere");

    private static readonly FrozenSet<string> s_gpt2Families = FrozenSet.Create("", "GPT2", "GPTNeoX", "CodeGen");

    private static readonly (string Role, string Token)[] s_gpt2 =
        [("bos_token", "<|endoftext|>"), ("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>")];

    private static readonly (string Role, string Token)[] s_bert =
        [("unk_token", "[UNK]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"), ("cls_token", "[CLS]"), ("mask_token", "[MASK]")];

    private static readonly (string Role, string Token)[] s_roberta =
    [
        ("bos_token", "<s>"), ("eos_token", "</s>"), ("sep_token", "</s>"), ("cls_token", "<s>"), ("unk_token", "<unk>"),
        ("pad_token", "<pad>"), ("mask_token", "<mask>"),
    ];

    private static readonly FrozenDictionary<string, (string Role, string Token)[]> s_others =
        new Dictionary<string, (string, string)[]>
        {
            ["CLIP"] =
            [
                ("bos_token", "<|startoftext|>"), ("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>"),
                ("pad_token", "<|endoftext|>"),
            ],
            ["OpenAIGPT"] = [("unk_token", "<unk>")],
            ["Qwen2"] = [("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>"), ("pad_token", "<|endoftext|>")],
            ["T5"] = [("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")],
            ["Albert"] =
            [
                ("bos_token", "[CLS]"), ("eos_token", "[SEP]"), ("unk_token", "<unk>"), ("sep_token", "[SEP]"), ("pad_token", "<pad>"),
                ("cls_token", "[CLS]"), ("mask_token", "[MASK]"),
            ],
            ["XLMRoberta"] = s_roberta,
            ["Camembert"] = s_roberta,
            ["Llama"] = [("unk_token", "<unk>"), ("bos_token", "<s>"), ("eos_token", "</s>")],
            ["Gemma"] = [("unk_token", "<unk>"), ("bos_token", "<bos>"), ("eos_token", "<eos>"), ("pad_token", "<pad>")],
            ["Bloom"] = [("unk_token", "<unk>"), ("bos_token", "<s>"), ("eos_token", "</s>"), ("pad_token", "<pad>")],
        }.ToFrozenDictionary();

    public static bool IsBert(string family) => s_bertFamilies.Contains(family);

    public static bool IsRoberta(string family) => s_robertaFamilies.Contains(family);

    /// <summary>Classes that make their template of add_bos_token and add_eos_token.</summary>
    public static bool IsLlama(string family) => s_llamaFamilies.Contains(family);

    public static bool IsGpt2(string family) => s_gpt2Families.Contains(family);

    /// <summary>The special tokens of a class by role.</summary>
    public static IReadOnlyList<(string Role, string Token)> Roles(string family) =>
        IsGpt2(family) ? s_gpt2 : IsBert(family) ? s_bert : IsRoberta(family) ? s_roberta : s_others.GetValueOrDefault(family) ?? [];
}
