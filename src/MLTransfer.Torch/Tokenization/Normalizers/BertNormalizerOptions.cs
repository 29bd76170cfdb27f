namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>What <see cref="BertNormalizer"/> does.</summary>
/// <param name="CleansText">Control characters go, white space becomes spaces (<c>clean_text</c>).</param>
/// <param name="SeparatesChinese">Spaces are put around Chinese characters (<c>handle_chinese_chars</c>).</param>
/// <param name="StripsAccents">Accents go (<c>strip_accents</c>); null: where the text is brought to lower case.</param>
/// <param name="Lowercases">The text is brought to lower case.</param>
internal sealed record BertNormalizerOptions(bool CleansText, bool SeparatesChinese, bool? StripsAccents, bool Lowercases);
