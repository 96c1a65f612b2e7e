<?php
// PHP with the curl extension: php liveness.php IMAGE
// LIFESIGN_URL is the service's address, LIFESIGN_TOKEN an access token.
$image = base64_encode(file_get_contents($argv[1]));

$request = curl_init(getenv('LIFESIGN_URL') . '/v2/face-recognition/liveness');
curl_setopt_array($request, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_CUSTOMREQUEST => 'POST',
    CURLOPT_TIMEOUT => 60,
    CURLOPT_HTTPHEADER => [
        'Accept: application/json',
        'Content-Type: application/json',
        'Authorization: JWT ' . getenv('LIFESIGN_TOKEN'),
    ],
    CURLOPT_POSTFIELDS => json_encode([
        'os' => 'DESKTOP',
        'image' => $image,
        'liveness_min_score' => 0.6,
    ]),
]);
$answer = curl_exec($request);
$status = curl_getinfo($request, CURLINFO_RESPONSE_CODE);
echo $answer, PHP_EOL;
exit($status === 200 ? 0 : 1);
