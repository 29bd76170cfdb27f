using System.Text;
using System.Text.Unicode;
using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>
/// Joins tokens such as <c>&lt;0xE2&gt;</c>, which stand for bytes. A run of them that is not UTF-8 as a whole gives one U+FFFD for each
/// byte; in a stream, characters that are whole have gone out before that can be told.
/// </summary>
internal sealed class ByteFallbackDecoder : IDecoder
{
    public DecoderRun Start(DecodingMode mode) => mode.IsFused
        ? new TokenDecoder((token, _) => ByteTokens.ByteOf(token) is byte value ? TextOf([value]) : token).Start(mode)
        : new Run(mode.IsStreamed);

    private static string TextOf(byte[] bytes) => Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : new string('\uFFFD', bytes.Length);

    private sealed class Run(bool isStreamed) : DecoderRun
    {
        private readonly List<byte> _bytes = [];

        public override void Push(string text, List<string> output)
        {
            if (ByteTokens.ByteOf(text) is byte value)
            {
                _bytes.Add(value);
                if (isStreamed && (byte[])[.. _bytes] is var bytes && Utf8.IsValid(bytes))
                {
                    output.Add(Encoding.UTF8.GetString(bytes));
                    _bytes.Clear();
                }

                return;
            }

            Flush(output);
            output.Add(text);
        }

        public override void Flush(List<string> output)
        {
            if (_bytes.Count > 0)
                output.Add(TextOf([.. _bytes]));
            _bytes.Clear();
        }
    }
}
