#:package SkiaSharp
#:package SkiaSharp.NativeAssets.Linux.NoDependencies

// Draws eng/icon.png, which every package shows: a pretrained network whose last node is new.
//   dotnet run eng/MakeIcon.cs -- eng/icon.png
using SkiaSharp;

const int Size = 128;
SKPoint[][] layers =
[
    [new(28, 34), new(28, 64), new(28, 94)],
    [new(62, 34), new(62, 64), new(62, 94)],
    [new(98, 64)],
];

using var surface = SKSurface.Create(new SKImageInfo(Size, Size, SKColorType.Rgba8888, SKAlphaType.Premul));
using var ground = new SKPaint
{
    IsAntialias = true,
    Shader = SKShader.CreateLinearGradient(
        new SKPoint(0, 0), new SKPoint(Size, Size), [new SKColor(0x51, 0x2B, 0xD4), new SKColor(0x16, 0x6A, 0xA8)], SKShaderTileMode.Clamp),
};
surface.Canvas.DrawRoundRect(SKRect.Create(Size, Size), 24, 24, ground);

using var weight = new SKPaint { IsAntialias = true, Color = SKColors.White.WithAlpha(0x90), StrokeWidth = 2.5f };
foreach (var (from, to) in layers.Zip(layers.Skip(1)))
{
    foreach (var start in from)
    {
        foreach (var end in to)
            surface.Canvas.DrawLine(start, end, weight);
    }
}

using var node = new SKPaint { IsAntialias = true, Color = SKColors.White };
foreach (var point in layers[0].Concat(layers[1]))
    surface.Canvas.DrawCircle(point, 9, node);
using var tuned = new SKPaint { IsAntialias = true, Color = new SKColor(0xFF, 0xB3, 0x2E) };
surface.Canvas.DrawCircle(layers[2][0], 15, tuned);

using var image = surface.Snapshot();
using var png = image.Encode(SKEncodedImageFormat.Png, 100);
using var file = File.Create(args is [var path] ? path : throw new ArgumentException("Say where to write the icon: eng/icon.png"));
png.SaveTo(file);
